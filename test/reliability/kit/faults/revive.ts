import { ready, type World } from '../world.ts';

/** Starts the gateway again when there is none that is ready: a test that failed must not fail those after it. */
export async function revive(world: World): Promise<void> {
  await ready(world).catch(async () => {
    await world.gateway.kill();
    await world.restart();
  });
}
