import type { AdapterDefinition, MessageParts, Origin } from '@magpie/contract';

/** Keys as a user writes them in YAML; the suite parses them with the adapter's own schemas. */
export type Keys = Readonly<Record<string, unknown>>;

/** A message as an independent client of the protocol writes or reads it, in the gateway's words. */
export type PeerMessage = Pick<MessageParts, 'body'> & Partial<MessageParts>;

/**
 * An independent client of the real broker, written with the protocol's own library and not with the adapter. It stays
 * usable after `cutLink` and after a broker restart (it reconnects by itself), and never loses what reached the target.
 */
export interface AdapterPeer {
  /**
   * Publishes to the source (`other`: to the second source) and resolves once the broker has taken it, safe against
   * a broker restart where the protocol can be (persistent, acknowledged). Called one after the other; order is kept.
   */
  publish(message: PeerMessage, to?: 'source' | 'other'): Promise<void>;
  /** What has reached the target so far, in order of arrival. */
  received(): readonly PeerMessage[];
}

/**
 * One case's own ground: an identity (client id, queue, account) and places that no other case uses, so that nothing
 * is left over from the case before. All hooks act on this connection only, unless they say otherwise. A hook that the
 * fixture cannot offer is left out, and the cases that need it are declared in `unsupported`.
 */
export interface AdapterSite {
  /** Keys of the connection besides `type`. Used for several connections one after the other: the identity stays. */
  readonly connection: Keys;
  /** Keys of a route's `from` besides `connection`. The place may be created by the fixture or by the adapter. */
  readonly source: Keys;
  /** Another source of the same kind. */
  readonly otherSource: Keys;
  /** Keys of a target besides `connection`: what is sent here is collected by the peer. */
  readonly target: Keys;
  /**
   * Another place to send to, which refuses messages for now while `target` takes them (a missing queue, a room for members
   * only), and what makes it take them. Left out where the protocol has none: then `refusing-place` is unsupported.
   */
  readonly refusing?: { readonly target: Keys; open(): Promise<void> };
  /** Keys of a target at the same place that asks for no confirmation, where the protocol has such. */
  readonly unconfirmedTarget?: Keys;
  readonly peer: AdapterPeer;
  /** The connection's keys for a TLS port, without `tls`, and PEM files: the server's authority, a certificate of ours. */
  readonly tls?: { readonly connection: Keys; readonly ca: string; readonly cert: string; readonly key: string };
  /** The connection's keys with wrong credentials; holds at least one secret, unlike any other text of the case. */
  readonly badCredentials?: Keys;
  /**
   * Severs the established link (a reset, not a goodbye). Ends a black hole. New links are possible at once. Resolves
   * when done; the adapter may notice later.
   */
  cutLink?(): Promise<void>;
  /** From now on no byte passes in either direction, nor on new links, while sockets stay open. `cutLink` or `restoreLink` ends it. */
  blackHole?(): Promise<void>;
  restoreLink?(): Promise<void>;
  /** Stops the broker as an operator would (durable state is kept). */
  stopBroker?(): Promise<void>;
  /** Starts it again at the same address; resolves when it accepts links. */
  startBroker?(): Promise<void>;
  /** Frees the places and the peer. Called once, after the case's connections are closed. */
  close(): Promise<void>;
}

/** The running environment of one suite: usually a broker, a proxy in front of it, and an independent client library. */
export interface AdapterFixture {
  /** Makes the ground of one case. `id` is unique (letters, digits and `-`): use it in every name. */
  prepare(id: string): Promise<AdapterSite>;
  /** Stops everything. Called once after the last case. */
  stop(): Promise<void>;
}

/** Examples of the adapter's `allow` entries, for its access rules. */
export interface AccessExamples {
  /** Entries that are fine. */
  readonly valid: readonly string[];
  /** Entries that are not; each must be refused with a sentence. */
  readonly invalid: readonly string[];
  /** Who is meant by an entry and who is not. */
  readonly decisions: readonly { readonly entry: string; readonly origin: Origin; readonly permits: boolean }[];
}

/** Numbers the suite cannot know. */
export interface AdapterLimits {
  /** Most received messages that may be with the gateway unacknowledged, as the site's `connection` configures it. */
  readonly receiveWindow: number;
  /** Longest any operation may take in this environment, ms. Default 10,000. */
  readonly deadline?: number;
  /** Largest difference of an expiry after the trip, ms (whole seconds on some protocols). Default 2,000. */
  readonly expiryTolerance?: number;
}

/** What an adapter gives to be judged. */
export interface AdapterSuite<C, S, T> {
  /** Title of the suite: the adapter, protocol version and broker, for example `mqtt 5 on mosquitto`. */
  readonly name: string;
  readonly definition: AdapterDefinition<C, S, T>;
  /** Starts the environment once, before the first case. */
  start(): Promise<AdapterFixture>;
  readonly limits: AdapterLimits;
  /** Text forms of addresses, at least one for each scheme of the adapter, such as `topic:plant/p7/alarm`. */
  readonly addresses: readonly string[];
  /** Required when the adapter has access rules. */
  readonly access?: AccessExamples;
  /** Cases this adapter cannot pass, each with the reason in one sentence; shown in the title of the skipped test. */
  readonly unsupported?: Readonly<Record<string, string>>;
}
