import { judge, settleInOrder } from '@magpie/adapter-kit';
import {
  type AdapterContext,
  type Address,
  addressToText,
  type EventKind,
  isBounce,
  matchesPattern,
  type ReceivedEvent,
  type Sink,
  type SourceRequest,
  type Verdict,
} from '@magpie/contract';
import { LinkedFiles, wantedFile } from '../files/linked-files.ts';
import { Turns } from '../files/turns.ts';
import type { Incoming } from '../link/link.ts';
import { type Entry, entryOf, fresh } from './receive-budget.ts';

/** Hands received events to the sink: filtered by source, in batches of one read, settled by verdict. */
export interface Intake {
  /** Sets the wanted sources; events that arrived before (on a resumed session) are handed over now. */
  open(sources: readonly SourceRequest[], sink: Sink): void;
  /**
   * Called when the link is gone: drops events not yet at the sink, because they will be delivered again. Until `open`
   * everything is kept.
   */
  hold(): void;
  /** Stops taking events, so that the server keeps them. */
  quiesce(): void;
  /** Whether it has stopped taking events. */
  isQuiet(): boolean;
  /** Reverts `quiesce`. */
  wake(): void;
  /** Whether a wanted source receives from this address, and events of this kind where one is named. */
  covers(address: Address, kind?: EventKind): boolean;
  /** Takes the event of a stanza; `stored` is called once it is on disk, unless the log refuses it. */
  take(incoming: Pick<Incoming, 'finish' | 'stored'>, event: ReceivedEvent): void;
  /** Takes a notice of ours, whatever the sources; `stored` is called once it is durable. */
  notice(event: ReceivedEvent, stored: () => void): void;
  /** Hands over complete batches, as far as the window allows. */
  flush(): void;
  /** Share of the receive budget in use: 1 is full. */
  load(): number;
  /** Events at the sink without a verdict, including those of earlier links. */
  judging(): number;
}

/** Limit and callbacks of one connection's intake. */
export interface IntakeOptions {
  /** Events at the sink without a verdict; further ones wait here. */
  readonly window: number;
  /** Called when the log cannot store an event: the link must be dropped, so that the event is delivered again. */
  unavailable(reason: string): void;
}

/** Kinds that are stored only where a route names them. */
const ON_REQUEST: ReadonlySet<EventKind> = new Set(['presence', 'reaction']);

/**
 * Tells a sender that asked for it: once all targets have the event where that is awaited, else once it is on disk. What the log
 * had already may not have arrived: nobody is told of it twice, or too early.
 */
function tell({ event }: Entry, told: () => void, verdict: Verdict): void {
  if (verdict.type === 'stored' && verdict.delivered) {
    void verdict.delivered.then((isDelivered) => {
      if (isDelivered) told();
    });
  } else if (verdict.type === 'stored' || (verdict.type === 'duplicate' && !event.awaitsDelivery)) told();
}

/** One per connection. */
export function createIntake(context: AdapterContext, { window, unavailable }: IntakeOptions): Intake {
  let wanted: { readonly sources: readonly SourceRequest[]; readonly sink: Sink } | undefined;
  let quiet = false;
  let held: Entry[] = [];
  let queue: Entry[] = [];
  // Verdicts on events of an earlier link count on that link's load.
  let load = fresh();
  let judging = 0;
  const files = new LinkedFiles(context.clock);
  const turns = new Turns();
  let fetching = new AbortController();

  const covers = (address: Address, kind?: EventKind): boolean =>
    wanted?.sources.some(
      ({ pattern, kinds }) =>
        matchesPattern(pattern, address) && (kind === undefined || kinds?.includes(kind) === true),
    ) === true;
  const offer = (entry: Entry): void => {
    const { address, kind } = entry.event;
    // Whatever the sources, a message of ours that came back must become a dead letter.
    if (isBounce(entry.event) || covers(address, ON_REQUEST.has(kind) ? kind : undefined)) admit(entry);
    else {
      if (!ON_REQUEST.has(kind)) context.count('received-unrouted');
      load.remove(entry);
      entry.finish();
    }
  };
  /** Queues an event; one whose file is wanted when that is there, and what comes from the same place behind it. */
  const admit = (entry: Entry): void => {
    const { event } = entry;
    const file = wanted && wantedFile(event, wanted.sources);
    const place = file || !turns.isIdle ? (event.key ?? addressToText(event.address)) : '';
    if (!file && !turns.isBusy(place)) {
      queue.push(entry);
      return;
    }
    const mine = load;
    const { signal } = fetching;
    const prepare = async (): Promise<ReceivedEvent> => (file ? files.into(event, file, signal) : event);
    const go = async (prepared: ReceivedEvent): Promise<void> => {
      if (mine !== load || quiet) return; // It comes again.
      const whole = entryOf(prepared, entry);
      load.remove(entry);
      load.add(whole);
      queue.push(whole);
      flush();
    };
    turns.take(place, signal, prepare, go).catch(() => undefined); // Aborted: it comes again.
  };
  const hand = async (batch: readonly Entry[], sink: Sink): Promise<void> => {
    const mine = load;
    mine.atSink += batch.length;
    judging += batch.length;
    const verdicts = await judge(
      sink,
      batch.map(({ event }) => event),
    );
    mine.atSink -= batch.length;
    judging -= batch.length;
    const reason = settleInOrder(batch, verdicts, (entry, verdict) => {
      mine.remove(entry);
      if (entry.stored) tell(entry, entry.stored, verdict);
      entry.finish();
    });
    if (reason !== undefined) unavailable(reason);
    else if (mine === load) flush();
  };
  const flush = (): void => {
    while (wanted && queue.length > 0 && load.atSink < window) {
      void hand(queue.splice(0, window - load.atSink), wanted.sink);
    }
  };
  return {
    open(sources, sink) {
      wanted = { sources, sink };
      const waiting = held;
      held = [];
      for (const entry of waiting) offer(entry);
      flush();
    },
    hold() {
      fetching.abort();
      void files.close();
      fetching = new AbortController();
      wanted = undefined;
      held = [];
      queue = [];
      load = fresh();
    },
    quiesce() {
      quiet = true;
    },
    isQuiet: () => quiet,
    wake() {
      quiet = false;
    },
    covers,
    take(incoming, event) {
      if (quiet) return;
      const entry = entryOf(event, incoming);
      load.add(entry);
      if (wanted) offer(entry);
      else held.push(entry);
    },
    notice(event, stored) {
      const entry = entryOf(event, { finish: stored });
      load.add(entry);
      queue.push(entry);
      flush();
    },
    flush,
    load: () => load.share(window),
    judging: () => judging,
  };
}
