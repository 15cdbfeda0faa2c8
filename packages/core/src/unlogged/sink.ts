import type { ReceivedEvent, Sink, Verdict } from '@magpie/contract';
import type { Connections } from '../connections/connections.ts';
import type { EchoGuard } from '../intake/echo-guard.ts';
import type { Intake } from '../intake/intake.ts';
import type { CoreObserver } from '../observer.ts';
import type { Targets } from '../targets/targets.ts';
import type { BestEffortSenders } from './best-effort-sender.ts';

/** What the way past the log needs. */
export interface BypassDeps {
  readonly targets: Pick<Targets, 'routes'>;
  readonly senders: Pick<BestEffortSenders, 'get'>;
  readonly intake: Pick<Intake, 'stamped'>;
  readonly connections: Pick<Connections, 'port'>;
  readonly echoGuard: Pick<EchoGuard, 'returned'>;
  readonly observer: Pick<CoreObserver, 'received'>;
}

const TAKEN: Verdict = { type: 'stored' };
const BYPASSED = { type: 'bypassed' } as const;

/**
 * The sink of a connection with the way past the log: what only sources with `durability: none` want goes to its targets at
 * once, the rest into `sink`. Calls resolve in order.
 */
export function withBypass(source: string, sink: Sink, deps: BypassDeps): Sink {
  const pending = new Map<string | undefined, Promise<unknown>>();

  /** Sends an event past the log where a route asks for that; true when it need not be stored as well. */
  const passes = (received: ReceivedEvent): boolean => {
    const event = deps.intake.stamped(received, source);
    if (!event) return false;
    const { matches, logged } = deps.targets.routes.bypass(event);
    const mayBeEcho = matches.length > 0 && deps.connections.port(source)?.hasMetadata === false;
    const echo = mayBeEcho ? deps.echoGuard.returned(event, logged) : [];
    for (const match of matches) {
      if (!echo.includes(match.target.connection)) deps.senders.get(match.target.consumer)?.offer(event, match);
    }
    return !logged;
  };

  const store = (batch: readonly ReceivedEvent[], place: string | undefined): Promise<readonly Verdict[]> => {
    const stored: Promise<readonly Verdict[]> = sink(batch, place).finally(() => {
      if (pending.get(place) === stored) pending.delete(place);
    });
    pending.set(place, stored);
    return stored;
  };

  return async (batch, place) => {
    if (!deps.targets.routes.bypasses(source)) return store(batch, place);
    const passed = batch.map(passes);
    const rest = batch.filter((_, index) => !passed[index]);
    deps.observer.received(
      source,
      passed.filter((each) => each).map(() => BYPASSED),
    );
    if (rest.length === 0) await pending.get(place);
    const verdicts = rest.length === 0 ? [] : await store(rest, place);
    let next = 0;
    return passed.map((each) => (each ? TAKEN : verdicts[next++]!));
  };
}
