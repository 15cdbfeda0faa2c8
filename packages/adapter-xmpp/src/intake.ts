import {
  type AdapterContext,
  matchesPattern,
  type ReceivedEvent,
  type Sink,
  type SourceRequest,
  type Verdict,
} from '@magpie/contract';
import type { Incoming } from './session-state.ts';

/** A received event and the means to report its stanza as handled. */
interface Entry {
  readonly event: ReceivedEvent;
  finish(): void;
}

/** The way of received events into the log: filtered by the wanted sources, in batches of one read, settled by verdict. */
export interface Intake {
  /** Sets the wanted sources; what arrived before (on a resumed session) is handed over now. */
  open(sources: readonly SourceRequest[], sink: Sink): void;
  /** Until `open` is called again, everything is kept. */
  hold(): void;
  /** From now on nothing more is taken in, so that the server keeps it. */
  quiesce(): void;
  /** Takes `quiesce` back. */
  wake(): void;
  /** Takes the event of a stanza. */
  take(incoming: Incoming, event: ReceivedEvent): void;
  /** Hands the batch over. */
  flush(): void;
}

/** `unavailable` is called when the log cannot store an event now: the link must go, so that the event comes again. */
export function createIntake(context: AdapterContext, unavailable: (reason: string) => void): Intake {
  let wanted: { readonly sources: readonly SourceRequest[]; readonly sink: Sink } | undefined;
  let quiet = false;
  let held: (() => void)[] = [];
  let batch: Entry[] = [];
  const offer = ({ finish }: Incoming, event: ReceivedEvent): void => {
    if (wanted?.sources.some(({ pattern }) => matchesPattern(pattern, event.address))) batch.push({ event, finish });
    else {
      context.count('received-unrouted');
      finish();
    }
  };
  const flush = (): void => {
    const entries = batch;
    batch = [];
    if (!wanted || entries.length === 0) return;
    const settled = wanted.sink(entries.map(({ event }) => event));
    settled
      .then((verdicts) => settle(entries, verdicts, unavailable))
      .catch((error: unknown) => unavailable(String(error)));
  };
  return {
    open(sources, sink) {
      wanted = { sources, sink };
      const waiting = held;
      held = [];
      for (const take of waiting) take();
      flush();
    },
    hold() {
      wanted = undefined;
      held = [];
      batch = [];
    },
    quiesce() {
      quiet = true;
    },
    wake() {
      quiet = false;
    },
    take(incoming, event) {
      if (quiet) return;
      if (wanted) offer(incoming, event);
      else held.push(() => offer(incoming, event));
    },
    flush,
  };
}

/** The first event that could not be stored ends it: nothing after it may be reported as handled. */
function settle(entries: readonly Entry[], verdicts: readonly Verdict[], unavailable: (reason: string) => void): void {
  const missing: Verdict = { type: 'unavailable', reason: 'no verdict' };
  for (const [index, { finish }] of entries.entries()) {
    const verdict = verdicts[index] ?? missing;
    if (verdict.type === 'unavailable') {
      unavailable(verdict.reason);
      return;
    }
    finish();
  }
}
