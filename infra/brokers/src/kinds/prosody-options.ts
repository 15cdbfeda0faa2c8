import type { Broker, StartOptions } from '../broker.ts';

/** `plain` offers STARTTLS, `tls` is TLS from the first byte, `component` is XEP-0114, `http` is XEP-0363 uploads. */
export type ProsodyPort = 'plain' | 'tls' | 'component' | 'http';
/** Without logins: an XMPP client takes them as a JID and a password. */
export type ProsodyUrl = 'plain' | 'tls' | 'component' | 'http';

/** A Prosody that this process started. */
export interface ProsodyBroker extends Broker<ProsodyPort, ProsodyUrl> {
  /** The virtual host: `localhost`. */
  readonly domain: string;
  /** The multi-user chat service: `conference.localhost`. */
  readonly rooms: string;
  /** Domains that may connect to the component port, and their common secret. */
  readonly components: readonly string[];
  readonly componentSecret: string;
}

/** What `startProsody` takes. */
export interface ProsodyOptions extends StartOptions<ProsodyPort> {
  /** Refuse logins without TLS. Default false: SCRAM over plain TCP is allowed, PLAIN never is. */
  readonly requireTls?: boolean;
  /** Offer TLS at all. Default true. */
  readonly offerTls?: boolean;
  /** XEP-0198 stream management. Default true, with a queue of 20,000 stanzas. */
  readonly streamManagement?: boolean;
  /** XEP-0313 archives of users and rooms. Default true. */
  readonly archive?: boolean;
  /** Seconds that a lost session can be resumed. Default 300. */
  readonly hibernation?: number;
  /** Bytes of the largest stanza a client may send. Default 262,144. */
  readonly stanzaSizeLimit?: number;
  /** XEP-0114 component domains below `localhost`. Default `devices.localhost` and `bridge.localhost`. */
  readonly components?: readonly string[];
}
