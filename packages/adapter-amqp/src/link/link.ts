import { loadTls, onAbort, type TlsOptions } from '@magpie/adapter-kit';
import { Aborted, ConfigInvalid, type MagpieError } from '@magpie/contract';
import { type ChannelModel, connect, credentials, type Options, type SocketOptions } from 'amqplib';
import type { AmqpConfig } from '../config.ts';
import { toContractError } from '../errors.ts';
import { type Inbound, interceptFrames } from '../wire/inbound.ts';
import { acceptAfterLogin, libraryConnection } from '../wire/library.ts';
import { createOutgoing, type Outgoing } from '../wire/outgoing.ts';

/** One open connection to the broker. */
export interface Link {
  /** For everything except messages, confirmations and acknowledgements. */
  readonly model: ChannelModel;
  readonly inbound: Inbound;
  readonly outgoing: Outgoing;
  /** Largest frame, as negotiated with the broker. */
  readonly frameMax: number;
  /** Why the broker accepts no publishes (a memory or disk alarm); undefined when it does. */
  blocked(): string | undefined;
  /** Resolves at the next alarm. */
  untilBlocked(): Promise<void>;
  /** Whether it can still be used. */
  alive(): boolean;
  /** Closes the connection in order; resolves when it is closed for whatever reason. */
  close(): Promise<void>;
  /** Destroys the socket. Idempotent. */
  cut(): void;
}

/** What a link reports. Called only after it has been opened. */
export interface LinkEvents {
  /** Closed by the broker, the network, `close` or `cut`; once. */
  closed(error: MagpieError): void;
  blocked(reason: string | undefined): void;
}

/** The options of one link. */
export interface LinkOptions {
  readonly config: AmqpConfig;
  /** Shown in the broker's list of connections. */
  readonly title: string;
}

acceptAfterLogin();

const KEEP_ALIVE_MS = 15_000;

/** Host and port as shown in messages; never a user or password. */
export const displayUrl = ({ url }: AmqpConfig): string =>
  `${url.secure ? 'amqps' : 'amqp'}://${url.hostname}:${url.port}`;

/**
 * Opens one connection: one attempt, ended by the signal; nothing is left behind after a rejection. Rejects with
 * `NotConnected`, `AuthFailed`, `ConfigInvalid` or `Aborted`.
 */
export async function openLink(options: LinkOptions, events: LinkEvents, signal: AbortSignal): Promise<Link> {
  const cutter = new AbortController();
  const cut = (): void => cutter.abort();
  const stop = onAbort(signal, cut);
  try {
    const { url, tls: settings } = options.config;
    const tls = url.secure ? await loadTls(settings, url.hostname) : undefined;
    if (signal.aborted) throw new Aborted('cancelled', { cause: signal.reason });
    const model = await connect(endpointOf(options.config), socketOptions(options, tls, cutter.signal));
    return watch(model, options, events, cut);
  } catch (error) {
    cut();
    if (signal.aborted) throw new Aborted('connecting was cancelled', { cause: signal.reason });
    throw error instanceof ConfigInvalid ? error : toContractError('link', error, displayUrl(options.config));
  } finally {
    stop();
  }
}

/** Handlers are added before anything is awaited: an unhandled error event would end the process. */
function watch(model: ChannelModel, { config }: LinkOptions, events: LinkEvents, cut: () => void): Link {
  const connection = libraryConnection(model);
  const inbound = interceptFrames(connection);
  const outgoing = createOutgoing(connection.stream, connection.frameMax);
  let cause: unknown;
  let blocked: string | undefined;
  let alive = true;
  let nextBlocked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const setBlocked = (reason: string | undefined): void => {
    blocked = reason;
    if (reason !== undefined) {
      nextBlocked.resolve();
      nextBlocked = Promise.withResolvers<void>();
    }
    events.blocked(reason);
  };
  model.on('error', (error) => {
    cause ??= error;
    // On an unexpected frame the library closes and waits for the broker's answer, which may never come.
    setImmediate(cut);
  });
  model.on('blocked', (reason) => setBlocked(reason || 'no reason given'));
  model.on('unblocked', () => setBlocked(undefined));
  if (connection.blocked === true) setBlocked('an alarm raised before we logged in');
  model.on('close', (error) => {
    alive = false;
    cut();
    gone.resolve();
    events.closed(toContractError('link', cause ?? error ?? new Error('connection closed'), displayUrl(config)));
  });
  return {
    model,
    inbound,
    outgoing,
    frameMax: connection.frameMax,
    blocked: () => blocked,
    untilBlocked: () => nextBlocked.promise,
    alive: () => alive,
    cut,
    async close() {
      outgoing.flush(); // After closing, frames in either direction are ignored.
      inbound.detachAll();
      if (alive) model.close().catch(() => undefined); // Fails only when it is closed already, which `gone` covers.
      await gone.promise;
    },
  };
}

function endpointOf({ url, heartbeat, frameMax }: AmqpConfig): Options.Connect {
  return {
    protocol: url.secure ? 'amqps' : 'amqp',
    hostname: url.hostname,
    port: url.port,
    vhost: url.vhost,
    heartbeat: Math.max(1, Math.round(heartbeat / 1000)),
    frameMax,
  };
}

/**
 * The login: by name and password, or by the client certificate when there is one and no name. Never falls back to
 * `guest`.
 */
export function loginOf(config: Pick<AmqpConfig, 'url' | 'username' | 'password' | 'tls'>) {
  const named = config.username ?? config.url.username;
  if (named === undefined && config.tls?.cert !== undefined) return credentials.external();
  const username = named ?? 'guest';
  const password = config.password ?? config.url.password;
  return credentials.plain(username, password?.reveal() ?? (username === 'guest' ? 'guest' : ''));
}

/** amqplib passes its socket options to `net.connect`, which accepts an abort signal: the only way to cancel. */
function socketOptions(
  { config, title }: LinkOptions,
  tls: TlsOptions | undefined,
  signal: AbortSignal,
): SocketOptions {
  const socket = {
    noDelay: true,
    keepAlive: true,
    keepAliveDelay: KEEP_ALIVE_MS,
    signal,
    clientProperties: { connection_name: title, product: 'Magpie' },
    credentials: loginOf(config),
    ...tls,
  };
  return socket;
}
