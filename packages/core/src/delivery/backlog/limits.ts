/** Bounds of what one target keeps in memory; the rest waits in the log. */
export interface BacklogLimits {
  readonly deliveries: number;
  readonly bytes: number;
  /** Events read from the log at once. */
  readonly read: number;
  /** Deliveries with an exception row: refused ones and those held behind them. */
  readonly parked: number;
  readonly parkedBytes: number;
}

/** The bounds in production. */
export const BACKLOG_LIMITS: BacklogLimits = {
  deliveries: 1000,
  bytes: 16 * 1024 * 1024,
  read: 256,
  parked: 10_000,
  parkedBytes: 64 * 1024 * 1024,
};
