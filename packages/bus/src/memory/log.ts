import { randomBytes } from 'node:crypto';
import { systemClock } from '@magpie/contract';
import { type Append, type Appended, type EventLog, LogFailed, ORPHAN_PIN_MS, originOf } from '../contract/index.ts';
import { createDedupeClock } from '../shared/dedupe-clock.ts';
import { DEFAULT_DEDUPE, isCompared } from '../shared/dedupe-window.ts';
import { eventAgesOf, type LogOptions, steadyTimeOf } from '../shared/log-options.ts';
import { positionsIn, positionsOf } from '../shared/positions.ts';
import { createMemoryConsumers } from './consumers.ts';
import { createMemoryDedupe, verdictOn } from './dedupe.ts';
import { createMemoryEvents } from './events.ts';

/**
 * An event log in memory, for tests and for `bench`: everything of the contract but durability. Events are kept by
 * reference and must not be changed after the commit.
 */
export function createMemoryLog(options: LogOptions = {}): EventLog {
  const clock = options.clock ?? systemClock;
  const positions = positionsOf(randomBytes(6).toString('hex'));
  const window = { ...DEFAULT_DEDUPE, ...options.dedupe };
  const dedupeClock = createDedupeClock(steadyTimeOf(clock), window.windowMs);
  const dedupe = createMemoryDedupe(window, dedupeClock);
  const consumers = createMemoryConsumers();
  const events = createMemoryEvents(positions);
  let closed = false;

  const append = (wanted: Append): Appended => {
    const { event, onMismatch = 'append' } = wanted;
    const now = dedupeClock.now();
    const known = isCompared(event) ? dedupe.check(wanted, now) : undefined;
    const verdict = verdictOn(known, onMismatch);
    if (verdict !== undefined) return verdict;
    const position = events.add(event);
    dedupe.add(wanted, position, now);
    return known === undefined ? { type: 'stored', position } : { type: 'stored', position, mismatch: true };
  };
  return {
    commit: async (change) => {
      if (closed) throw new LogFailed('the log is closed');
      for (const place of positionsIn(change)) positions.offset(place);
      const verdicts = (change.append ?? []).map(append);
      consumers.apply(change);
      return verdicts;
    },
    read: async (after, limit, maxBytes) => events.after(after, limit, maxBytes),
    readBack: async (before, limit, maxBytes) => events.before(before, limit, maxBytes),
    search: async (query) => events.search(query),
    find: async (ref) => events.find(ref),
    head: events.head,
    positionBefore: async (time) => events.positionBefore(time),
    parsePosition: positions.parse,
    state: async () => consumers.state(),
    lowestFloor: async () => {
      const head = events.head();
      return consumers.lowestFloor(clock.now() - ORPHAN_PIN_MS) ?? (head && originOf(head));
    },
    orphans: async () => consumers.orphans(),
    values: async (connection) => consumers.values(connection),
    deadLetters: async (query) => consumers.deadLetters(query),
    deadLetter: async (id) => consumers.deadLetter(id),
    outcomes: async (ref) => consumers.outcomes(ref),
    retain: async ({ maxAge, maxBytes, floor }) => {
      const cutoff = clock.now() - maxAge;
      const removed = events.trim(cutoff, maxBytes, floor);
      consumers.forgetOutcomes(events.oldest()?.event.receivedAt ?? cutoff);
      return removed;
    },
    stats: async () => ({
      ...events.size(),
      deadLetters: consumers.deadLetterCount(),
      oldest: events.oldest()?.position,
    }),
    space: () => ({ intake: true, free: undefined, needed: 0 }),
    alarms: () => [],
    linked: dedupeClock.linked,
    ageOf: eventAgesOf(options).of,
    close: async () => {
      closed = true;
    },
  };
}
