import { powerCutImages, powerCutRefusal } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { comparePositions, type EventLog, openLog, type Position, type StoredEvent } from '../../src/index.ts';
import { startChild } from '../support/children.ts';

const LONG = process.env.MAGPIE_RELIABILITY === 'long';
/** File systems, and power cuts on each. A new one sees the log being created. */
const [ROUNDS, CUTS] = LONG ? [50, 20] : [1, 5];
const KEPT_BYTES = 4 * 1024 * 1024;

const refusal = await powerCutRefusal();
if (refusal !== undefined) console.log(`the power cut test is skipped: ${refusal}`);

/** Refs and positions of the commits that the child saw resolve. The last line may be cut. */
function ackedIn(output: string): [ref: string, position: Position][] {
  const lines = output.split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const [ref, position] = line.split(' ');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by the log itself
    return ref === undefined || position === undefined ? [] : [[ref, position as Position]];
  });
}

async function eventsIn(log: EventLog): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await log.read(events.at(-1)?.position, 5000);
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** Every acknowledged event is there, unless retention may have removed it. */
function expectKept(stored: readonly StoredEvent[], acked: readonly [string, Position][], bytes: number): void {
  const byPosition = new Map(stored.map(({ position, event: { ref } }) => [position, ref]));
  const oldest = stored[0]?.position;
  const lost = acked.filter(
    ([ref, position]) =>
      byPosition.get(position) !== ref && (oldest === undefined || comparePositions(position, oldest) > 0),
  );
  expect(lost).toEqual([]);
  const removedSome = acked.some(([, position]) => oldest !== undefined && comparePositions(position, oldest) < 0);
  if (removedSome) expect(bytes).toBeGreaterThan(KEPT_BYTES * 0.99);
}

/** Positions follow each other, times never go back, no commit is torn, and the log goes on where it was. */
async function expectSound(log: EventLog, stored: readonly StoredEvent[]): Promise<void> {
  const astray = stored.slice(1).filter(({ position, event }, index) => {
    const before = stored[index]!;
    return comparePositions(position, before.position) !== 1 || event.receivedAt < before.event.receivedAt;
  });
  expect(astray).toEqual([]);
  expect((await log.stats()).events).toBe(stored.length);
  expect(log.head()).toBe(stored.at(-1)?.position);
  const [first, second] = stored.slice(-2);
  if (first === undefined || second === undefined) return;
  expect(second.event.subject).toBe(first.event.subject?.replace(/a$/, 'b'));
  expect(await log.outcomes(first.event.ref)).toHaveLength(1);
  const { dedupeKey: _, ...fresh } = second.event;
  const verdicts = await log.commit({ append: [{ event: second.event }, { event: fresh }] });
  expect(verdicts[0]).toEqual({ type: 'duplicate', position: second.position, ref: second.event.ref });
  expect(comparePositions(verdicts[1]!.position, second.position)).toBe(1);
}

async function checkImage(dataDir: string, acked: readonly [string, Position][]): Promise<void> {
  const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
  try {
    const stored = await eventsIn(log);
    expectKept(stored, acked, (await log.stats()).bytes);
    await expectSound(log, stored);
  } finally {
    await log.close();
  }
}

describe.skipIf(refusal !== undefined)('a power cut', () => {
  it(`loses no acknowledged event in ${ROUNDS * CUTS} images`, { timeout: ROUNDS * CUTS * 60_000 }, async () => {
    let most = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await powerCutImages({
        count: CUTS,
        seed: 1000 + round,
        maxGapMs: 600,
        start: async (mount) => {
          const child = await startChild('child-appender.ts', [`${mount}/data`, String(KEPT_BYTES)]);
          const stop = async (): Promise<void> => {
            await child.kill();
            expect(child.stderr()).toBe('');
          };
          return { pids: [child.pid], promised: () => ackedIn(child.stdout()), stop };
        },
        check: async ({ path, promised }) => {
          most = Math.max(most, promised.length);
          await checkImage(`${path}/data`, promised);
        },
      });
    }
    expect(most).toBeGreaterThan(100);
  });
});
