/** States of a connection. `up` means a recent successful round trip, not merely an open socket. */
export const CONNECTION_STATES = ['waiting', 'connecting', 'up', 'unhealthy', 'stopped', 'closed'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** What `/v1/connections` shows of a connection. Times are ms since the epoch. */
export interface ConnectionStatus {
  readonly name: string;
  readonly type: string;
  readonly state: ConnectionState;
  readonly since: number;
  /** The last successful probe. */
  readonly lastRoundTrip?: { readonly at: number; readonly ms: number };
  /** What ended the last attempt or link; gone once the connection is up again. */
  readonly error?: { readonly code: string; readonly message: string; readonly at: number };
  /** Needs a human: wrong credentials, identity taken. */
  readonly alarm?: string;
  readonly attempts: number;
  readonly nextAttempt?: number;
  readonly counters: Readonly<Record<string, number>>;
  /** States of parts as the adapter reports them (rooms, links). */
  readonly details: Readonly<Record<string, string>>;
  /** The parts that do not work as configured. */
  readonly troubled: readonly string[];
}
