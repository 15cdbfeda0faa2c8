import { appendFileSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, run } from '@magpie/brokers';
import { type Event, newRef, Throttled } from '@magpie/contract';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type DeadLetter, type EventLog, openLog, type Position } from '../../src/index.ts';
import { startChild } from '../support/children.ts';
import { mountRefusal, smallDisk, temporaryDirectory } from '../support/temporary.ts';

const MIB = 1024 * 1024;

const event = (size: number): Event => ({
  ref: newRef(),
  source: 's',
  address: { scheme: 'topic', segments: ['a'] },
  kind: 'message',
  key: 'a',
  time: 1,
  receivedAt: Date.now(),
  body: new Uint8Array(size),
  headers: [],
  via: [],
  origin: {},
});

const noMount = await mountRefusal();
const noStrace = await run('strace', ['-V']).then(() => undefined, messageOf);

const reserveSize = (dataDir: string): number | undefined =>
  statSync(join(dataDir, 'reserve'), { throwIfNoEntry: false })?.size;

/** Appends until the log throttles; returns the refs of what was acknowledged. */
async function fill(log: EventLog, size: number): Promise<string[]> {
  const acked: string[] = [];
  for (;;) {
    const next = event(size);
    try {
      await log.commit({ append: [{ event: next }] });
      acked.push(next.ref);
    } catch (error) {
      expect(error).toBeInstanceOf(Throttled);
      return acked;
    }
  }
}

/** Writes until the file system has no room for another page. */
function fillWhatIsLeft(directory: string): void {
  const page = new Uint8Array(4096);
  for (;;) {
    try {
      appendFileSync(join(directory, 'rest'), page);
    } catch {
      return;
    }
  }
}

const deadLetter = (of: Event, round: number): DeadLetter => ({
  id: newRef(),
  at: round,
  consumer: 'c',
  reason: 'rejected',
  error: 'Rejected',
  message: 'the target does not want it',
  attempts: [],
  event: of,
});

async function waitUntilStored(log: EventLog, deadline: number): Promise<void> {
  for (;;) {
    try {
      await log.commit({ append: [{ event: event(10) }] });
      return;
    } catch (error) {
      if (!(error instanceof Throttled) || Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

async function refsIn(log: EventLog): Promise<string[]> {
  const refs: string[] = [];
  let from: Position | undefined;
  for (let page = await log.read(from, 1000); page.length > 0; page = await log.read(from, 1000)) {
    refs.push(...page.map(({ event: { ref } }) => ref));
    from = page.at(-1)!.position;
  }
  return refs;
}

describe.skipIf(noMount !== undefined)(
  `a full disk${noMount === undefined ? '' : ` (cannot mount a tmpfs: ${noMount})`}`,
  () => {
    it('throttles appends, still takes floors, dead letters and retention, and recovers', {
      timeout: 60_000,
    }, async () => {
      const dataDir = await smallDisk(48);
      const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 16 * MIB, minFreeBytes: 200_000 });
      onTestFinished(() => log.close());
      await expect.poll(() => reserveSize(dataDir), { timeout: 5000 }).toBe(16 * MIB);
      await expect.poll(() => log.space()).toMatchObject({ intake: true, free: expect.any(Number) });
      const acked = await fill(log, 100_000);
      expect(log.space()).toMatchObject({ intake: false, refusal: expect.stringContaining(dataDir) });
      expect(acked.length).toBeGreaterThan(50);
      const floor = log.head()!;
      for (let round = 0; round < 20; round++) {
        await log.commit({ matched: floor, floors: [{ consumer: `c${round}`, floor }] });
      }
      expect((await log.state()).floors.size).toBe(20);
      expect(existsSync(join(dataDir, 'reserve'))).toBe(false);
      await expect(log.commit({ append: [{ event: event(10) }] })).rejects.toThrow(Throttled);
      const limits = { maxAge: 1e15, maxBytes: 4 * MIB, floor: await log.lowestFloor() };
      expect(await log.retain(limits)).toBeGreaterThan(20);
      await waitUntilStored(log, Date.now() + 15_000);
      expect(log.space()).toMatchObject({ intake: true });
      expect(log.space()).not.toHaveProperty('refusal');
      await expect.poll(() => existsSync(join(dataDir, 'reserve')), { timeout: 5000 }).toBe(true);
      const kept = await refsIn(log);
      expect(acked.slice(-kept.length + 1)).toEqual(kept.slice(0, -1));
    });

    it('loses nothing acknowledged and goes on once another program frees space', { timeout: 60_000 }, async () => {
      const dataDir = await smallDisk(32);
      const ballast = join(dataDir, 'ballast');
      writeFileSync(ballast, new Uint8Array(12 * MIB));
      const options = { dataDir, reserveBytes: MIB, minFreeBytes: 0 };
      const log = await openLog({ store: 'sqlite', ...options });
      const acked = await fill(log, 1000);
      rmSync(ballast);
      await waitUntilStored(log, Date.now() + 15_000);
      await log.close();
      const reopened = await openLog({ store: 'sqlite', ...options });
      onTestFinished(() => reopened.close());
      expect((await refsIn(reopened)).slice(0, acked.length)).toEqual(acked);
    });

    it('stops intake below the free space mark, before the disk is full', { timeout: 60_000 }, async () => {
      const dataDir = await smallDisk(64);
      const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: MIB, minFreeBytes: 32 * MIB });
      onTestFinished(() => log.close());
      const ballast = join(dataDir, 'ballast');
      await log.commit({ append: [{ event: event(10) }] });
      writeFileSync(ballast, new Uint8Array(40 * MIB));
      await expect.poll(() => log.space().intake, { timeout: 5000 }).toBe(false);
      expect(log.space()).toMatchObject({ refusal: expect.stringContaining('MiB free') });
      expect(log.space().free).toBeLessThan(32 * MIB);
      expect(log.space().needed).toBeGreaterThanOrEqual(32 * MIB);
      const throttled = log.commit({ append: [{ event: event(10) }] });
      await expect(throttled).rejects.toThrow(/MiB free, intake needs 3[23] MiB/);
      await log.commit({ matched: log.head()! });
      rmSync(ballast);
      await waitUntilStored(log, Date.now() + 10_000);
    });

    it('takes floors and dead letters at once when another program fills the disk after intake has stopped', {
      timeout: 60_000,
    }, async () => {
      const dataDir = await smallDisk(64);
      const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 8 * MIB, minFreeBytes: 16 * MIB });
      onTestFinished(() => log.close());
      const deadEvent = event(10);
      await log.commit({ append: [{ event: deadEvent }] });
      await expect.poll(() => reserveSize(dataDir), { timeout: 5000 }).toBe(8 * MIB);
      writeFileSync(join(dataDir, 'ballast'), new Uint8Array(42 * MIB));
      await expect.poll(() => log.space().intake, { timeout: 5000 }).toBe(false);
      expect(existsSync(join(dataDir, 'reserve'))).toBe(true);
      fillWhatIsLeft(dataDir);
      const floor = log.head()!;
      for (let round = 0; round < 20; round++) {
        const letter = deadLetter(deadEvent, round);
        await log.commit({ floors: [{ consumer: `c${round}`, floor }], deadLetters: { put: [letter] } });
      }
      expect((await log.state()).floors.size).toBe(20);
      expect(await log.deadLetters({ limit: 50 })).toHaveLength(20);
      expect(log.space().intake).toBe(false);
    });

    it('keeps floors waiting while not even the reserve is left, refuses appends at once, and goes on when there is room', {
      timeout: 60_000,
    }, async () => {
      const dataDir = await smallDisk(32);
      const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
      onTestFinished(() => log.close());
      await log.commit({ append: [{ event: event(10) }] });
      const floor = log.head()!;
      fillWhatIsLeft(dataDir);
      let written = 0;
      const floors = Array.from({ length: 50 }, async (_, round) => {
        await log.commit({ matched: floor, floors: [{ consumer: 'c', floor: round % 2 === 0 ? floor : null }] });
        expect(written++).toBe(round);
      });
      await expect.poll(() => log.space().intake, { timeout: 5000 }).toBe(false);
      await expect(log.commit({ append: [{ event: event(10) }] })).rejects.toThrow(Throttled);
      expect(written).toBe(0);
      rmSync(join(dataDir, 'rest'));
      await Promise.all(floors);
      expect((await log.state()).floors.size).toBe(0);
      await waitUntilStored(log, Date.now() + 10_000);
    });

    it('closes while floors wait for room: they are refused', { timeout: 60_000 }, async () => {
      const dataDir = await smallDisk(32);
      const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
      await log.commit({ append: [{ event: event(10) }] });
      fillWhatIsLeft(dataDir);
      const floors = Array.from({ length: 50 }, () => log.commit({ matched: log.head()! }));
      await expect.poll(() => log.space().intake, { timeout: 5000 }).toBe(false);
      const refused = expect(Promise.all(floors)).rejects.toThrow(Throttled);
      await log.close();
      await refused;
    });

    it('opens on a disk that was filled while it was closed, by giving up the reserve', {
      timeout: 60_000,
    }, async () => {
      const options = { dataDir: await smallDisk(32), reserveBytes: 4 * MIB, minFreeBytes: 0 };
      const before = await openLog({ store: 'sqlite', ...options });
      const stored = event(10);
      await before.commit({ append: [{ event: stored }] });
      await expect.poll(() => reserveSize(options.dataDir), { timeout: 5000 }).toBe(4 * MIB);
      await before.close();
      fillWhatIsLeft(options.dataDir);
      const log = await openLog({ store: 'sqlite', ...options });
      onTestFinished(() => log.close());
      expect(await refsIn(log)).toEqual([stored.ref]);
      await log.commit({ matched: log.head()!, floors: [{ consumer: 'c', floor: log.head()! }] });
      rmSync(join(options.dataDir, 'rest'));
      await waitUntilStored(log, Date.now() + 10_000);
      await expect.poll(() => reserveSize(options.dataDir), { timeout: 10_000 }).toBe(4 * MIB);
    });
  },
);

describe.skipIf(noStrace !== undefined)(`a failing fsync${noStrace === undefined ? '' : ` (${noStrace})`}`, () => {
  it('fails the commit and every later one, and keeps what was acknowledged', { timeout: 60_000 }, async () => {
    const { path: dataDir, remove } = temporaryDirectory();
    onTestFinished(remove);
    const inject = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync,fsync'];
    const child = await startChild(
      'child-fsync.ts',
      [dataDir],
      [...inject, '-e', 'inject=fdatasync,fsync:error=EIO:when=40+'],
    );
    const code = await child.exited();
    const lines = child.stdout().trim().split('\n');
    const acked = lines.filter((line) => line.startsWith('ok ')).map((line) => line.slice(3));
    const failed = lines.filter((line) => line.startsWith('failed '));
    expect(code).toBe(3);
    expect(acked.length).toBeGreaterThan(5);
    expect(failed).toHaveLength(3);
    for (const line of failed)
      expect(line).toMatch(/^failed LogFailed: the event log in .* has failed: .*disk I\/O error/);
    expect(lines.slice(acked.length)).toEqual(failed);
    const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
    onTestFinished(() => log.close());
    expect((await refsIn(log)).slice(0, acked.length)).toEqual(acked);
  });
});
