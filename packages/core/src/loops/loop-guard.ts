import type { AddressBook, Clock, Event, Logger } from '@magpie/contract';
import { ArrivalCounts, nameOf, shortHash } from './content.ts';
import { type Judgement, PASS, RETURN_MS, Trial } from './trial.ts';

/** Arrivals of one content within a second from which on it is looked at: where marks are lost, and where they travel. */
const SUSPECTED = { bare: 6, marked: 60 } as const;

/** Contents looked at exactly at a time; the longest untouched one is forgotten first. */
const MOST_TRIALS = 1000;

/** How long a loop is an alarm after it was seen last, in ms. */
const ALARM_MS = 600_000;

/** Most loops that are named. */
const MOST_NAMED = 10;

/**
 * Stops messages that go round for ever through links on which the list of passed gateways is lost. Needs nothing of the
 * protocol: see ADR 0019 for how it tells a loop from a sender that repeats itself.
 */
export interface LoopGuard {
  /** An event that some route takes has come in from a connection with or without marks. Called per matched event. */
  arrived(event: Event, hasMetadata: boolean): void;
  /** Whether a delivery of an event may be sent now; one that passes is sent at once. Called per attempt. */
  judge(event: Event): Judgement;
  /** An operator tries an event again that was stopped. */
  pardon(event: Event): void;
  /** The configuration has changed: everything is forgotten. */
  reset(): void;
  /** The loops there are, as sentences. */
  alarms(): readonly string[];
}

/** What a guard needs. */
export interface LoopGuardDeps {
  readonly clock: Clock;
  readonly book: Pick<AddressBook, 'format'>;
  readonly logger: Pick<Logger, 'error'>;
  /** From 0 to 1. */
  readonly random?: () => number;
}

interface Watched {
  readonly trial: Trial;
  readonly hash: number;
  readonly source: string;
  readonly place: string;
}

/** Makes the guard of a gateway. */
export function createLoopGuard({ clock, book, logger, random = Math.random }: LoopGuardDeps): LoopGuard {
  const counts = new ArrivalCounts();
  const watched = new Map<string, Watched>();
  /** How many contents with a hash are watched: most events need no more than a look here. */
  const hashes = new Map<number, number>();
  const names = new WeakMap<Event, string>();

  const nameFor = (event: Event): string => {
    const name = names.get(event) ?? nameOf(event);
    names.set(event, name);
    return name;
  };
  const forget = (name: string, { hash }: Watched): void => {
    watched.delete(name);
    const left = (hashes.get(hash) ?? 1) - 1;
    if (left === 0) hashes.delete(hash);
    else hashes.set(hash, left);
  };
  const watch = (name: string, event: Event, hash: number, threshold: number): Watched => {
    const { source } = event;
    const added = { trial: new Trial(threshold, random), hash, source, place: book.format(event.address) };
    watched.set(name, added);
    hashes.set(hash, (hashes.get(hash) ?? 0) + 1);
    for (const [oldest, each] of watched) {
      if (watched.size <= MOST_TRIALS) break;
      forget(oldest, each);
    }
    return added;
  };
  /** What is watched of an event, moved to the end of those that are forgotten. */
  const find = (event: Event, hash: number): Watched | undefined => {
    if (!hashes.has(hash)) return undefined;
    const name = nameFor(event);
    const known = watched.get(name);
    if (known === undefined) return undefined;
    watched.delete(name);
    watched.set(name, known);
    return known;
  };

  return {
    arrived: (event, hasMetadata) => {
      // Whoever has passed a gateway that marks is stopped by the mark.
      if (event.via.length > 0) return;
      const threshold = hasMetadata ? SUSPECTED.marked : SUSPECTED.bare;
      const hash = shortHash(event);
      const isOften = counts.add(hash, event.receivedAt) * 2 > threshold;
      const known = find(event, hash) ?? (isOften ? watch(nameFor(event), event, hash, threshold / 2) : undefined);
      if (known?.trial.arrived(event.ref, event.receivedAt, clock.monotonic()) !== true) return;
      const { source, place } = known;
      logger.error({ connection: source, place }, loopSentence(known));
    },
    judge: (event) => {
      if (watched.size === 0) return PASS;
      return find(event, shortHash(event))?.trial.judge(event.ref, clock.monotonic()) ?? PASS;
    },
    pardon: (event) => find(event, shortHash(event))?.trial.pardon(event.ref),
    reset: () => {
      watched.clear();
      hashes.clear();
    },
    alarms: () => {
      const now = clock.monotonic();
      const places = new Map<string, string>();
      for (const each of watched.values())
        if (each.trial.isLoop && now - each.trial.touched < ALARM_MS)
          places.set(`${each.source} ${each.place}`, loopSentence(each));
      return [...places.values()].slice(0, MOST_NAMED);
    },
  };
}

const loopSentence = ({ source, place }: Watched): string =>
  `what is sent on from ${place} of "${source}" comes back there within ${RETURN_MS} ms, again and again: another gateway sends it back. ` +
  'What came back is stopped and kept as dead letters (reason "loop"). Let one of the two send one way only, or use links that carry headers';
