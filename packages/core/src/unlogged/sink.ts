import type { Event, ReceivedEvent, Sink, Verdict } from '@magpie/contract';
import type { RouteSet } from '@magpie/routing';
import type { CoreObserver } from '../observer.ts';
import type { BestEffortSender } from './best-effort-sender.ts';

/** What a bypass needs. */
export interface BypassDeps {
  routes(): Pick<RouteSet, 'bypasses' | 'bypass'>;
  bestEffort(consumer: string): BestEffortSender | undefined;
  /** Makes an event of what was received; undefined when it must not pass: the log's way says why. */
  stamp(received: ReceivedEvent, source: string): Event | undefined;
  /**
   * Connections an event must not go to, because it is an own message that came back without saying so. `keep`: the router
   * will ask as well.
   */
  echoOf(event: Event, keep: boolean): readonly string[];
  readonly observer: Pick<CoreObserver, 'received'>;
}

const TAKEN: Verdict = { type: 'stored' };
const BYPASSED = { type: 'bypassed' } as const;

/**
 * The sink of a connection with the way past the log: what only sources with `durability: none` want goes to its targets at
 * once, the rest into `sink`. Calls resolve in order.
 */
export function withBypass(source: string, sink: Sink, deps: BypassDeps): Sink {
  let pending = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** Whether an event has gone past the log and nowhere else. */
  const passes = (received: ReceivedEvent): boolean => {
    const event = deps.stamp(received, source);
    if (!event) return false;
    const { matches, logged } = deps.routes().bypass(event);
    const echo = matches.length > 0 ? deps.echoOf(event, logged) : [];
    for (const match of matches) {
      if (!echo.includes(match.target.connection)) deps.bestEffort(match.target.consumer)?.offer(event, match);
    }
    return !logged;
  };

  const store = async (batch: readonly ReceivedEvent[]): Promise<readonly Verdict[]> => {
    pending++;
    const stored = sink(batch);
    last = stored;
    return stored.finally(() => pending--);
  };

  return async (batch) => {
    if (!deps.routes().bypasses(source)) return store(batch);
    const passed = batch.map(passes);
    const rest = batch.filter((_, index) => !passed[index]);
    deps.observer.received(
      source,
      passed.filter((each) => each).map(() => BYPASSED),
    );
    if (rest.length === 0 && pending > 0) await last;
    const verdicts = rest.length === 0 ? [] : await store(rest);
    let next = 0;
    return passed.map((each) => (each ? TAKEN : verdicts[next++]!));
  };
}
