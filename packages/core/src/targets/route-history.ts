import { comparePositions, type Position } from '@magpie/bus';
import type { RouteSet } from '@magpie/routing';

/**
 * The routes by the log positions that they have matched: an event keeps the routes in force when the router matched it, also
 * for a target that reads it from the log after a reload. Earlier routes are kept in memory only.
 */
export class RouteHistory {
  #current: RouteSet;
  readonly #former: { readonly until: Position; readonly routes: RouteSet }[] = [];

  constructor(current: RouteSet) {
    this.#current = current;
  }

  get current(): RouteSet {
    return this.#current;
  }

  /**
   * The routes change: what was matched up to `until` keeps the earlier ones. `floors` are those of the targets with a backlog;
   * routes that only matched positions before all of them are dropped.
   */
  change(routes: RouteSet, until: Position | undefined, floors: readonly Position[]): void {
    if (until !== undefined) this.#former.push({ until, routes: this.#current });
    this.#current = routes;
    const isNeeded = (each: { readonly until: Position }): boolean =>
      floors.some((floor) => comparePositions(each.until, floor) > 0);
    const kept = this.#former.findIndex(isNeeded);
    this.#former.splice(0, kept < 0 ? this.#former.length : kept);
  }

  /**
   * The routes that have matched, or will match, the event at a place; for a consumer that was not there yet, the first ones
   * that know it. Called per event read back from the log.
   */
  at(position: Position, consumer?: string): RouteSet {
    if (this.#former.length === 0) return this.#current;
    const knows = (routes: RouteSet): boolean => consumer === undefined || routes.target(consumer) !== undefined;
    const found = this.#former.find(({ until, routes }) => comparePositions(position, until) <= 0 && knows(routes));
    return found?.routes ?? this.#current;
  }
}
