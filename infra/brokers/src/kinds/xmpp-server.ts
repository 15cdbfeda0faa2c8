import type { Broker, StartOptions } from '../broker.ts';

/** `plain` offers STARTTLS, `tls` is TLS from the first byte, `component` is XEP-0114, `http` is XEP-0363 uploads. */
export type XmppPort = 'plain' | 'tls' | 'component' | 'http';

/** An XMPP server that this process started, for the domain `localhost`. Its URLs are without logins: a client takes a JID and a password. */
export interface XmppServer extends Broker<XmppPort, XmppPort> {
  readonly name: 'prosody' | 'ejabberd';
  /** The virtual host: `localhost`. */
  readonly domain: string;
  /** The multi-user chat service: `conference.localhost`. */
  readonly rooms: string;
  /** The upload service: `upload.localhost`, with slots on the `http` port. */
  readonly uploads: string;
  /** The publish-subscribe service: `pubsub.localhost`. */
  readonly nodes: string;
  /** Domains that may connect to the component port, and their common secret. */
  readonly components: readonly string[];
  readonly componentSecret: string;
}

/** What both `startProsody` and `startEjabberd` take. */
export interface XmppServerOptions extends StartOptions<XmppPort> {
  /** Refuse logins without TLS. Default: `startProsody` false, `startEjabberd` true. */
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
  /** Accounts that may make nodes at Prosody's publish-subscribe service and own all of them; ejabberd lets everybody. Default none. */
  readonly nodeOwners?: readonly string[];
  /** New rooms outlive their occupants and the server. Default false. */
  readonly persistentRooms?: boolean;
}

/** What every XMPP server of this package offers. */
export const xmppSite = {
  domain: 'localhost',
  rooms: 'conference.localhost',
  uploads: 'upload.localhost',
  nodes: 'pubsub.localhost',
  componentSecret: 'component-secret',
} as const;

/** Bytes of the largest file that the upload service takes. */
export const UPLOAD_LIMIT = 10 * 1024 * 1024;

/** The component domains of these options. */
export const componentsOf = ({ components = ['devices.localhost', 'bridge.localhost'] }: XmppServerOptions) =>
  components;

/** The URLs of the ports. */
export const xmppUrls = ({ plain, tls, component, http }: Readonly<Record<XmppPort, number>>) => ({
  plain: `xmpp://127.0.0.1:${plain}`,
  tls: `xmpps://127.0.0.1:${tls}`,
  component: `xmpp://127.0.0.1:${component}`,
  http: `http://127.0.0.1:${http}`,
});
