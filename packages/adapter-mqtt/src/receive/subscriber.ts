import { type AdapterContext, createRetry, type SourceRequest, toMagpieError } from '@magpie/contract';
import type { Link } from '../link/link.ts';
import type { Refusals } from '../link/subscribe-requests.ts';
import { createSubscriptions } from './subscriptions.ts';

/**
 * Keeps sources subscribed. Filters that the broker refuses appear in the status and are retried without disturbing
 * others.
 */
export interface Subscriber {
  /** Called when the broker has lost our session. */
  forget(): void;
  /** Called when the broker says that it kept our session. */
  doubt(): void;
  /**
   * Replaces the sources; resolves when each is subscribed, refused or timed out. @throws NotConnected when the link
   * ends.
   */
  receive(link: Link, sources: readonly SourceRequest[]): Promise<void>;
  /** Stops retries on this link. */
  quiesce(): void;
}

/** The wanted sources of one link, until the next `receive` or the end of the link. */
interface Wish {
  readonly link: Link;
  readonly sources: readonly SourceRequest[];
}

/** Pauses before refused filters are tried again, ms: an operator who grants a permission sees it work within a minute. */
const RETRY = { min: 1_000, max: 60_000 } as const;

/** One per connection. Its details are named `topic <filter>`. */
export function createSubscriber(version: 5 | 3, context: AdapterContext): Subscriber {
  const subscriptions = createSubscriptions(version);
  const retry = createRetry(context.clock, RETRY);
  const report = createReport(context);
  let current: Wish | undefined;
  let line: Promise<unknown> = Promise.resolve();

  const end = (): void => {
    current = undefined;
    retry.cancel();
    retry.reset();
    report(new Map());
  };
  const fulfil = async (wish: Wish): Promise<void> => {
    if (current !== wish) return;
    const refusals = await subscriptions.apply(wish.link, wish.sources);
    if (current !== wish) return;
    report(refusals);
    if (refusals.size === 0) retry.reset();
    else retry.schedule(() => void enqueue(wish).catch((error: unknown) => wish.link.cut(toMagpieError(error))));
  };
  const enqueue = (wish: Wish): Promise<void> => {
    const turn = line.then(() => fulfil(wish));
    line = turn.catch(() => undefined); // The caller gets the error; the next call starts over.
    return turn;
  };
  return {
    forget: subscriptions.forget,
    doubt: subscriptions.doubt,
    receive(link, sources) {
      if (current?.link !== link) {
        // An old link may never answer.
        line = Promise.resolve();
        link.onEnd(() => {
          if (current?.link === link) end();
        });
      }
      retry.cancel();
      current = { link, sources };
      return enqueue(current);
    },
    quiesce: end,
  };
}

/** Shows what is refused now, and no longer what was. */
function createReport(context: AdapterContext): (refusals: Refusals) => void {
  let shown: Refusals = new Map();
  return (refusals) => {
    for (const filter of shown.keys()) if (!refusals.has(filter)) context.detail(`topic ${filter}`, undefined);
    for (const [filter, { state }] of refusals) context.detail(`topic ${filter}`, state, 'trouble');
    shown = refusals;
  };
}
