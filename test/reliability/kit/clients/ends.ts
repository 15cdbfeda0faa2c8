/** A client beside the gateway that sends. */
export interface Sender {
  /** Resolves when the message has been acknowledged; rejects when that is not known, and it should be sent again. */
  send(key: string, id: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Called by a reading client per message. `event` is the gateway's id of the event where the protocol shows it; `again`
 * says that the target's own broker marks it as one it may have handed out before.
 */
export type Recorder = (id: string, event: string | undefined, again: boolean) => void;

/** A client beside the gateway that reads. */
export interface Reader {
  close(): Promise<void>;
}
