/**
 * The one signal that goes up inside a delivery queue: something may be sent now. Whatever frees a lane, reads on from the
 * log or ends a backoff calls it and knows nothing of the sender.
 */
export class WakeUp {
  #listener: () => void = () => undefined;

  /** Sets who is called. Once per queue, when all its parts are made. */
  listen(listener: () => void): void {
    this.#listener = listener;
  }

  readonly call = (): void => this.#listener();
}
