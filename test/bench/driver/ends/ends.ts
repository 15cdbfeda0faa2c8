/** The side that sends. Made once per contender; sends numbered messages as the load asks for them. */
export interface Source {
  /** How many messages it can take now. */
  room(): number;
  /** Sends `count` messages with the numbers from `first` on, at most as many as there is room, in one write per socket. */
  send(first: number, count: number): void;
  close(): void;
}

/** The side that receives. */
export interface Sink {
  close(): void;
}

/** Whom both ends tell. Implemented by the load. */
export interface Listener {
  /** A copy of a message has arrived. */
  arrived(sequence: number): void;
  /** A message will not arrive, because the other side said so. */
  refused(sequence: number, reason: string): void;
  /** Everything that was read together has been told; a good moment to send. */
  settled(): void;
  /** An end cannot go on. */
  failed(error: Error): void;
}
