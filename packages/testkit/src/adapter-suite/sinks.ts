import type { ReceivedEvent, Sink, Verdict } from '@magpie/contract';

export const STORED: Verdict = { type: 'stored' };

/** A sink that records what it was given. */
export interface RecordingSink {
  readonly sink: Sink;
  readonly events: readonly ReceivedEvent[];
  /** Bodies of messages as text, in order of arrival; without the notices of the adapter itself, such as a possible gap. */
  texts(): string[];
}

/** Answers at once, by default `stored` to everything. */
export function recordingSink(judge: (text: string) => Verdict = () => STORED): RecordingSink {
  const events: ReceivedEvent[] = [];
  return {
    events,
    texts: () => textsOf(events),
    sink: async (batch) => {
      events.push(...batch);
      return batch.map((event) => judge(textOf(event)));
    },
  };
}

/** A sink whose answers are withheld until the case gives them. */
export interface HeldSink extends RecordingSink {
  /** Answers the call that brought this text, one verdict for all of its events. */
  answer(text: string, verdict?: Verdict): void;
  /** Answers all open calls in order, and every later one at once. */
  open(): void;
}

/** Takes everything and stores nothing until the case gives verdicts: a log that is slow or full. */
export function heldSink(): HeldSink {
  const events: ReceivedEvent[] = [];
  let calls: { readonly batch: readonly ReceivedEvent[]; settle(verdict: Verdict): void }[] = [];
  let opened = false;
  return {
    events,
    texts: () => textsOf(events),
    sink(batch) {
      events.push(...batch);
      if (opened) return Promise.resolve(batch.map(() => STORED));
      const { promise, resolve } = Promise.withResolvers<readonly Verdict[]>();
      calls.push({ batch, settle: (verdict) => resolve(batch.map(() => verdict)) });
      return promise;
    },
    answer(text, verdict = STORED) {
      const index = calls.findIndex(({ batch }) => batch.some((event) => textOf(event) === text));
      const [call] = index < 0 ? [] : calls.splice(index, 1);
      if (!call) throw new Error(`no open sink call brought "${text}"`);
      call.settle(verdict);
    },
    open() {
      opened = true;
      for (const call of calls) call.settle(STORED);
      calls = [];
    },
  };
}

const textsOf = (events: readonly ReceivedEvent[]): string[] =>
  events.filter(({ kind }) => kind === 'message').map(textOf);

const textOf = ({ body }: ReceivedEvent): string => Buffer.from(body).toString();
