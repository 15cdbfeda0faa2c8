import type { Append, Appended, Commit } from '../../contract/index.ts';
import type { DedupeClock } from '../../shared/dedupe-clock.ts';
import { isCompared } from '../../shared/dedupe-window.ts';
import type { Positions } from '../../shared/positions.ts';
import { encodeChanges } from '../file/consumer-codec.ts';
import { createRecordWriter } from '../file/event-record.ts';
import type { BatchTime, KeyedAppend, WireBatch, WireCommit, WireResult } from '../protocol/writer.ts';

/** A batch for the writer, with what could not be encoded: `errors[i]` belongs to the i-th commit of the request. */
export interface PackedBatch {
  readonly batch: WireBatch;
  readonly errors: readonly (Error | undefined)[];
}

/** Packs commits for the writer thread; keeps `receivedAt` from going back. One per log. */
export interface BatchPacker {
  pack(changes: readonly Commit[]): PackedBatch;
}

/** Makes the packer of a log whose last event was received at `lastReceived`, ms since the epoch. */
export function createBatchPacker(
  positions: Positions,
  lastReceived: number,
  clock: Pick<DedupeClock, 'now' | 'lowest' | 'horizon'>,
): BatchPacker {
  let last = lastReceived;
  let capacity = 16 * 1024;
  return {
    pack: (changes) => {
      const at = clock.now();
      const now: BatchTime = { at, lowest: clock.lowest(at) };
      const records = createRecordWriter(capacity);
      const ends: number[] = [];
      const received: number[] = [];
      const commits: WireCommit[] = [];
      const add = ({ event }: Append): void => {
        last = Math.max(last, event.receivedAt);
        ends.push(records.add(event, last));
        received.push(last);
      };
      const errors = changes.map((change) => {
        const [size, count] = [records.size(), ends.length];
        try {
          const { append = [] } = change;
          append.forEach(add);
          const state = encodeChanges(change, positions);
          commits.push({
            appends: append.length,
            keyed: keyedAppends(append, clock, at),
            changes: state,
          });
          return undefined;
        } catch (error) {
          records.rewind(size);
          ends.length = received.length = count;
          return asError(error);
        }
      });
      capacity = Math.max(16 * 1024, records.size());
      const batch: WireBatch = {
        type: 'batch',
        now,
        commits,
        records: records.buffer(),
        bytes: records.size(),
        ends: Float64Array.from(ends),
        received: Float64Array.from(received),
      };
      return { batch, errors };
    },
  };
}

const NO_KEYED: readonly KeyedAppend[] = [];

function keyedAppends(
  append: readonly Append[],
  clock: Pick<DedupeClock, 'horizon'>,
  at: number,
): readonly KeyedAppend[] {
  if (!append.some(({ event }) => event.dedupeKey !== undefined)) return NO_KEYED;
  return append.flatMap(({ event, onMismatch, content }, index) => {
    const { dedupeKey: key, ref, address, source } = event;
    if (key === undefined) return [];
    const parts = [address.scheme, address.segments];
    const place = JSON.stringify(content === undefined ? parts : [...parts, content]);
    return [
      {
        index,
        ref,
        key,
        place,
        refuse: onMismatch === 'refuse',
        compare: isCompared(event),
        after: clock.horizon(source, at),
      },
    ];
  });
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** The verdicts of a commit that was written, in the order of its appends. */
export function verdictsOf(
  result: Extract<WireResult, { type: 'done' }>,
  appends: number,
  positions: Positions,
): Appended[] {
  const verdicts: Appended[] = [];
  let row = result.first;
  let nextSpecial = 0;
  for (let index = 0; index < appends; index++) {
    const special = result.specials[nextSpecial];
    if (special?.index !== index) {
      verdicts.push({ type: 'stored', position: positions.of(row++) });
      continue;
    }
    nextSpecial++;
    const { type, ref } = special;
    const position = positions.of(special.position);
    if (type === 'mismatch') row++;
    verdicts.push(type === 'mismatch' ? { type: 'stored', position, mismatch: true } : { type, position, ref });
  }
  return verdicts;
}
