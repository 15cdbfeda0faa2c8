import { untilAborted } from '@magpie/adapter-kit';

/**
 * Keeps the order of what goes to one place while something of it needs time before it can go. What goes to other places does not
 * wait. One per connection.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether nothing is being prepared for any place. */
  get isIdle(): boolean {
    return this.#last.size === 0;
  }

  /** Whether something is still being prepared for the place: what follows has to take a turn as well. */
  isBusy(place: string): boolean {
    return this.#last.has(place);
  }

  /**
   * Prepares, once all earlier ones of the place have gone, and then goes. `go` is on its way, and the next one's turn comes, as soon as it has
   * returned its promise. Rejects with the error of either, or with `Aborted`.
   */
  async take<P, R>(
    place: string,
    signal: AbortSignal,
    prepare: () => Promise<P>,
    go: (prepared: P) => Promise<R>,
  ): Promise<R> {
    const before = this.#last.get(place) ?? Promise.resolve();
    const turn = (async () => {
      await untilAborted(before, signal, 'cancelled while waiting for an earlier file');
      const prepared = await prepare();
      return { gone: go(prepared) };
    })();
    const over = Promise.allSettled([before, turn]).then(() => {
      if (this.#last.get(place) === over) this.#last.delete(place);
    });
    this.#last.set(place, over);
    return (await turn).gone;
  }
}
