/** Events waited for at a time; of more, nobody is told. */
const MOST = 10_000;

interface Awaited extends PromiseWithResolvers<boolean> {
  /** Deliveries that have not ended; undefined until the router has come to the event. */
  open: number | undefined;
}

/**
 * Events whose sender is told once all their targets have them (`ReceivedEvent.awaitsDelivery`). In memory alone: of what a former
 * process took in nobody is told, which is never too early. One per gateway.
 */
export class AwaitedDeliveries {
  readonly #events = new Map<string, Awaited>();

  /** An event that is about to be stored is waited for. */
  expect(ref: string): void {
    this.#events.set(ref, { open: undefined, ...Promise.withResolvers<boolean>() });
    const [oldest] = this.#events.keys();
    if (this.#events.size > MOST && oldest !== undefined) this.#end(oldest, false);
  }

  /** Resolves when all its targets have confirmed it, or to false when one has not in the end or there is none; undefined for any other event. */
  of(ref: string): Promise<boolean> | undefined {
    return this.#events.get(ref)?.promise;
  }

  /** It was not stored. */
  forget(ref: string): void {
    this.#events.delete(ref);
  }

  /** The router has found so many targets for it. Called before the first of them gets it. */
  matched(ref: string, targets: number): void {
    const event = this.#events.get(ref);
    if (!event) return;
    event.open = targets;
    if (targets === 0) this.#end(ref, false);
  }

  /** A delivery of it has ended. */
  ended(ref: string, isConfirmed: boolean): void {
    const event = this.#events.get(ref);
    if (event?.open === undefined) return;
    event.open -= 1;
    if (!isConfirmed) this.#end(ref, false);
    else if (event.open === 0) this.#end(ref, true);
  }

  #end(ref: string, isDelivered: boolean): void {
    const event = this.#events.get(ref);
    this.#events.delete(ref);
    event?.resolve(isDelivered);
  }
}
