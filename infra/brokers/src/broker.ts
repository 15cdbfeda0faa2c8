import type { TlsFiles } from './tls.ts';

/** A login that exists on the broker. */
export interface BrokerUser {
  readonly name: string;
  readonly password: string;
}

/** What every `start…` function takes; the brokers add their own. */
export interface StartOptions<PortName extends string, User extends BrokerUser = BrokerUser> {
  /** Fixed TCP ports; the others are free ones. A fixed port that is taken is an error. */
  readonly ports?: Partial<Record<PortName, number>>;
  /** Keep data here, and after `stop()` too. Default: a temporary directory that `stop()` removes. */
  readonly dataDir?: string;
  /** Added to the broker's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Lines added at the end of the generated configuration file, in the broker's own syntax. */
  readonly extraConfig?: readonly string[];
  /** Users to create instead of the default one, `magpie` with password `magpie-secret`. */
  readonly users?: readonly User[];
  /** Serve an expired certificate on the TLS ports. Default false. */
  readonly expiredCertificate?: boolean;
  /** Milliseconds until the broker must answer. Default 60,000. */
  readonly readyTimeout?: number;
}

/** A real broker that this process started. */
export interface Broker<PortName extends string = string, UrlName extends string = string> {
  readonly name: 'mosquitto' | 'rabbitmq' | 'prosody' | 'ejabberd';
  /** The broker's own version text, such as `2.0.11`. */
  readonly version: string;
  /** Always 127.0.0.1. */
  readonly host: string;
  readonly ports: Readonly<Record<PortName, number>>;
  /** Complete URLs; those for logins carry the first user's name and password. */
  readonly urls: Readonly<Record<UrlName, string>>;
  readonly users: readonly [BrokerUser, ...BrokerUser[]];
  /** Path of the PEM certificate authority that signed the TLS ports' certificate. */
  readonly ca: string;
  readonly tls: TlsFiles;
  readonly dataDir: string;
  /** Process id while running, undefined after `kill` or `stop`. */
  readonly pid: number | undefined;
  /** SIGKILL; resolves when the process is gone. Data and ports stay reserved for `restart`. */
  kill(): Promise<void>;
  /** Asks the broker to end (SIGTERM, after 15 s SIGKILL), then removes a temporary `dataDir`. May be called twice. */
  stop(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. Resolves when every thread of the broker stands still. */
  pause(): Promise<void>;
  /** SIGCONT: takes `pause` back. */
  resume(): void;
  /**
   * Starts again on the same ports and data, after `kill` or instead of a running one (which is asked to end first).
   * Resolves when the broker answers.
   */
  restart(): Promise<void>;
  /** The end of the broker's log, at most `bytes` (default 16 KiB). */
  logs(bytes?: number): string;
  /**
   * Runs the broker's own control program (`rabbitmqctl`, `prosodyctl`) and returns its output. ejabberd takes the name of a
   * command of its API and the arguments as one JSON object. Mosquitto has none: throws.
   */
  control(...args: readonly string[]): Promise<string>;
}

/**
 * Where the brokers of a set listen, on 127.0.0.1 and without logins. Prosody wants STARTTLS; `component` is its port for the
 * component `devices.localhost` (XEP-0114).
 */
export type BrokerUrls = Readonly<Record<'mosquitto' | 'rabbitmq' | 'prosody' | 'component', string>>;

/** Mosquitto, RabbitMQ and Prosody, however they were started. */
export interface BrokerSet {
  /** What they are and run in, for a person. */
  readonly title: string;
  readonly urls: BrokerUrls;
  /** Path of the PEM certificate authority for Prosody's STARTTLS. */
  readonly ca: string;
  /** Secret of Prosody's component. */
  readonly componentSecret: string;
  /** Ends them and removes their data. */
  stop(): Promise<void>;
}
