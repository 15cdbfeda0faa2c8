import { comparePositions, type EventLog, type Position, type StoredEvent } from '@magpie/bus';

/** Events as they were read from the log: everything after `after` up to the last of them. */
interface Stretch {
  readonly after: Position;
  readonly events: readonly StoredEvent[];
  readonly cost: number;
}

/** Rough memory cost of an event besides its body, in bytes. */
const OVERHEAD = 512;

/**
 * Reads the log for several readers that catch up at about the same place, such as all targets of a link that was away: what one
 * has read the others get too. Reads one range at a time, and keeps the last ones in memory, bounded by bytes.
 */
export function createSharedReads(log: Pick<EventLog, 'read'>, maxBytes = 2 * 1024 * 1024): EventLog['read'] {
  /** The one used last comes last. */
  const kept: Stretch[] = [];
  let bytes = 0;
  let reading: Promise<void> | undefined;

  const find = (after: Position | undefined): readonly StoredEvent[] | undefined => {
    if (after === undefined) return undefined;
    const at = kept.findLastIndex((stretch) => covers(stretch, after));
    const found = kept[at];
    if (!found) return undefined;
    kept.push(...kept.splice(at, 1));
    if (found.after === after) return found.events;
    const from = found.events.findIndex(({ position }) => comparePositions(position, after) > 0);
    return found.events.slice(from);
  };

  const keep = (after: Position | undefined, events: readonly StoredEvent[]): void => {
    const cost = events.reduce((sum, { event }) => sum + event.body.byteLength + OVERHEAD, 0);
    if (after === undefined || events.length === 0 || cost > maxBytes) return;
    kept.push({ after, events, cost });
    bytes += cost;
    while (bytes > maxBytes) bytes -= kept.shift()!.cost;
  };

  return async (after, limit) => {
    for (;;) {
      const found = find(after);
      if (found) return found.slice(0, limit);
      if (!reading) break;
      await reading.catch(() => undefined); // The caller of that read handles its failure.
    }
    const work = log.read(after, limit);
    reading = work.then((events) => keep(after, events)).finally(() => (reading = undefined));
    await reading;
    return work;
  };
}

/** Whether a stretch has what comes next after a position. */
function covers({ after: start, events }: Stretch, after: Position): boolean {
  return comparePositions(start, after) <= 0 && comparePositions(after, events.at(-1)!.position) < 0;
}
