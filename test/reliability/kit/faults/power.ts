import { setTimeout as sleep } from 'node:timers/promises';
import { type PowerCutDisk, whileFrozen } from '@magpie/testkit';
import type { World } from '../world.ts';

/**
 * Cuts the power of a gateway whose data lies on this disk: it stands still, what has reached the device is copied, and it
 * never goes on. Then the copy takes the place of the disk, and the gateway is started on it. Resolves when that listens.
 */
export async function cutPower(world: World, disk: PowerCutDisk): Promise<void> {
  const { gateway } = world;
  const copy = await whileFrozen([gateway.pid], async () => {
    const atThatMoment = await disk.copy();
    await gateway.kill();
    return atThatMoment;
  });
  await disk.bootFrom(copy);
  await world.restart({ ready: false });
}

/** A disk that lies: what it has taken in the last `ms` before the cut is gone, though it said that it was there. */
export async function cutPowerOfLiar(world: World, disk: PowerCutDisk, ms: number): Promise<void> {
  const { gateway } = world;
  const copy = await whileFrozen([gateway.pid], () => disk.copy());
  await sleep(ms);
  await gateway.kill();
  await disk.bootFrom(copy);
  await world.restart({ ready: false });
}
