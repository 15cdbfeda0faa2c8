import { isDeepStrictEqual } from 'node:util';
import {
  Aborted,
  AuthFailed,
  type Clock,
  ConfigInvalid,
  Conflict,
  type Connection,
  deadline,
  fullJitter,
  type Logger,
  MagpieError,
  NotConnected,
  RECONNECT,
  type Sink,
  type SourceRequest,
  sleep,
  toMagpieError,
} from '@magpie/contract';
import type { ConnectionState, ConnectionStatus } from '../gateway-api/index.ts';
import { Parts } from './parts.ts';

/** Times of the one reconnect and health policy, in ms. */
export interface SupervisorTimes {
  readonly connectTimeout: number;
  readonly probeInterval: number;
  readonly probeTimeout: number;
  /** Between attempts once the credentials have been refused three times: often enough to find them put right. */
  readonly loginInterval: number;
  /** Between attempts when only a human can help. */
  readonly alarmInterval: number;
}

export const SUPERVISOR_TIMES: SupervisorTimes = {
  connectTimeout: 30_000,
  probeInterval: 10_000,
  probeTimeout: 10_000,
  loginInterval: 30_000,
  alarmInterval: 60_000,
};

/** Refused logins in a row before the supervisor slows down and raises an alarm. */
const LOGINS_BEFORE_ALARM = 3;

/** A link that has been up for so long, in ms, starts the backoff anew. */
const STEADY_MS = 10_000;

export interface SupervisorDeps {
  readonly name: string;
  readonly type: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly times: SupervisorTimes;
  /** What to receive; asked after each connect and at each `refresh`. */
  sources(): readonly SourceRequest[];
  /** Told after the state has changed. */
  onState(state: ConnectionState, from: ConnectionState): void;
}

/** Owns one connection: reconnect, status, probes and shutdown. The only caller of its `Connection`. */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  #connection: Connection | undefined;
  #sink: Sink | undefined;
  #state: ConnectionState = 'waiting';
  #since: number;
  #error: ConnectionStatus['error'];
  #alarm: string | undefined;
  #lastRoundTrip: ConnectionStatus['lastRoundTrip'];
  #attempts = 0;
  #failures = 0;
  #loginsRefused = 0;
  #nextAttempt: number | undefined;
  #receiving: readonly SourceRequest[] = [];
  #refreshing: Promise<void> = Promise.resolve();
  #lost: ((error: MagpieError) => void) | undefined;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  readonly #counters: Record<string, number> = {};
  readonly #parts: Parts;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#since = deps.clock.now();
    this.#parts = new Parts(deps.name, deps.logger, deps.clock);
  }

  /** Takes the connection and keeps it connected until `close`; what it receives goes into the sink. Called once. */
  start(connection: Connection, sink: Sink): void {
    this.#connection = connection;
    this.#sink = sink;
    this.#running = this.#run(connection, sink);
  }

  /** Whether the link is up. Bound: ports hand it on. */
  readonly up = (): boolean => this.#state === 'up';

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /**
   * What to receive may have changed: tells the adapter, when it really has. Calls follow one another; while the link is
   * not up there is nothing to do, for it is called again once it is.
   */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(() => this.#receiveAgain());
    return this.#refreshing;
  }

  /** For the adapter's context. */
  lost(error: MagpieError): void {
    this.#lost?.(error);
  }

  detail(part: string, state: string | undefined, trouble?: 'trouble'): void {
    this.#parts.set(part, state, trouble !== undefined);
  }

  count(counter: string, by = 1): void {
    this.#counters[counter] = (this.#counters[counter] ?? 0) + by;
  }

  status(): ConnectionStatus {
    return {
      name: this.#deps.name,
      type: this.#deps.type,
      state: this.#state,
      since: this.#since,
      ...(this.#lastRoundTrip ? { lastRoundTrip: this.#lastRoundTrip } : {}),
      ...(this.#error ? { error: this.#error } : {}),
      ...(this.#alarm === undefined ? {} : { alarm: this.#alarm }),
      attempts: this.#attempts,
      ...(this.#nextAttempt === undefined ? {} : { nextAttempt: this.#nextAttempt }),
      counters: { ...this.#counters },
      details: this.#parts.states(),
      troubled: this.#parts.troubled(),
    };
  }

  /** First step of a drain: takes nothing more in. */
  async quiesce(signal: AbortSignal): Promise<void> {
    if (this.up()) await this.#connection?.quiesce(signal).catch((error: unknown) => this.#note(toMagpieError(error)));
  }

  /** Last step: says goodbye and stops reconnecting. */
  async close(signal: AbortSignal): Promise<void> {
    this.#stop.abort();
    this.#lost?.(new Aborted('closing'));
    await this.#connection?.close(signal);
    await this.#running;
    this.#enter('closed');
  }

  async #run(connection: Connection, sink: Sink): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const error = await this.#session(connection, sink);
      if (this.#stop.signal.aborted) return;
      this.#note(error);
      await this.#pause(error);
    }
  }

  /** One attempt and, when it succeeds, the life of the link. Resolves to what ended it. */
  async #session(connection: Connection, sink: Sink): Promise<MagpieError> {
    const lost = new Promise<MagpieError>((resolve) => {
      this.#lost = resolve;
    });
    this.#attempts++;
    this.#nextAttempt = undefined;
    this.#enter('connecting');
    const { clock, times } = this.#deps;
    const limit = deadline(clock, times.connectTimeout, this.#stop.signal);
    try {
      await connection.connect(limit.signal);
      this.#receiving = this.#deps.sources();
      const receiving = connection.receive(this.#receiving, sink);
      await Promise.race([receiving, lost.then((error) => Promise.reject(error)), late(limit.signal)]);
    } catch (error) {
      await this.#cut(connection);
      const inTime = !limit.timedOut() || (error instanceof MagpieError && !(error instanceof Aborted));
      if (inTime) return toMagpieError(error);
      return new NotConnected(`no answer within ${times.connectTimeout} ms`, { cause: error });
    } finally {
      limit.cancel();
    }
    this.#becomeUp();
    const ended = new AbortController();
    const upSince = clock.monotonic();
    const error = await Promise.race([lost, this.#watch(connection, ended.signal)]);
    ended.abort();
    // A link that comes and goes must not be hammered: only one that has lasted starts the backoff anew.
    if (clock.monotonic() - upSince >= STEADY_MS) this.#failures = 0;
    return error;
  }

  async #receiveAgain(): Promise<void> {
    const sources = this.#deps.sources();
    const [connection, sink] = [this.#connection, this.#sink];
    if (!connection || !sink || !this.up() || isDeepStrictEqual(sources, this.#receiving)) return;
    this.#receiving = sources;
    const { signal, cancel } = deadline(this.#deps.clock, this.#deps.times.connectTimeout);
    try {
      await Promise.race([connection.receive(sources, sink), late(signal)]);
    } catch (error) {
      await this.#cut(connection);
      this.lost(toMagpieError(error));
    } finally {
      cancel();
    }
  }

  #becomeUp(): void {
    this.#loginsRefused = 0;
    this.#alarm = undefined;
    this.#error = undefined;
    this.#enter('up');
    void this.refresh();
  }

  /** Probes the link until a probe fails; resolves to the failure. Never resolves once `ended`. */
  async #watch(connection: Connection, ended: AbortSignal): Promise<MagpieError> {
    const { clock, times } = this.#deps;
    for (;;) {
      await sleep(clock, times.probeInterval, ended);
      if (ended.aborted || this.#stop.signal.aborted) return new Promise(() => undefined);
      const started = clock.monotonic();
      try {
        await probe(connection, clock, times.probeTimeout);
        this.#lastRoundTrip = { at: clock.now(), ms: Math.round((clock.monotonic() - started) * 10) / 10 };
      } catch (error) {
        if (ended.aborted) return new Promise(() => undefined);
        this.#enter('unhealthy');
        await this.#cut(connection);
        return toMagpieError(error);
      }
    }
  }

  #cut(connection: Connection): Promise<void> {
    return connection.close(AbortSignal.abort());
  }

  async #pause(error: MagpieError): Promise<void> {
    const { clock, times } = this.#deps;
    if (error instanceof AuthFailed) this.#loginsRefused++;
    const helpless = error instanceof Conflict || error instanceof ConfigInvalid;
    const slow = helpless || (error instanceof AuthFailed && this.#loginsRefused >= LOGINS_BEFORE_ALARM);
    if (slow) this.#alarm = error.message;
    const slowly = helpless ? times.alarmInterval : times.loginInterval;
    const wait = slow ? slowly : fullJitter(RECONNECT, this.#failures++);
    this.#nextAttempt = clock.now() + wait;
    this.#enter(slow ? 'stopped' : 'waiting');
    await sleep(clock, wait, this.#stop.signal);
  }

  #note(error: MagpieError): void {
    const { clock, logger, name } = this.#deps;
    const repeated = this.#error?.message === error.message;
    this.#error = { code: error.code, message: error.message, at: clock.now() };
    const fields = { connection: name, error: error.code, reason: error.message, attempt: this.#attempts };
    logger[repeated ? 'debug' : 'warn'](fields, error.message);
  }

  #enter(state: ConnectionState): void {
    if (this.#state === state) return;
    const { clock, logger, name, onState } = this.#deps;
    const from = this.#state;
    this.#state = state;
    this.#since = clock.now();
    if (state === 'up') logger.info({ connection: name }, `${name} is up`);
    else if (from === 'up' && state !== 'closed') logger.warn({ connection: name }, `${name} is ${state}`);
    if (state === 'stopped') logger.error({ connection: name }, `${name} needs a human: ${this.#alarm}`);
    onState(state, from);
  }
}

/** Rejects when the signal fires. */
function late(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new Aborted('not done in time'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

/** One probe, bounded even when the adapter forgets its signal. */
async function probe(connection: Connection, clock: Clock, ms: number): Promise<void> {
  const { signal, cancel } = deadline(clock, ms);
  const silence = late(signal).catch(() => Promise.reject(new NotConnected(`no answer to a probe within ${ms} ms`)));
  await Promise.race([connection.probe(signal), silence]).finally(cancel);
}
