import { comparePositions, type Position } from '@magpie/bus';
import type { RouteSet } from '@magpie/routing';

/**
 * Earlier routes by the log positions that they have matched: an event keeps the routes in force when the router matched it, also
 * for a target that reads it from the log after a reload. In memory only.
 */
export class RouteHistory {
  readonly #earlier: { readonly until: Position; readonly routes: RouteSet }[] = [];

  /**
   * Other routes take effect: what was matched up to `until` keeps `routes`. `floors` are those of the targets with a backlog;
   * routes that only matched positions before all of them are dropped.
   */
  add(routes: RouteSet, until: Position | undefined, floors: readonly Position[]): void {
    if (until !== undefined) this.#earlier.push({ until, routes });
    const isNeeded = (each: { readonly until: Position }): boolean =>
      floors.some((floor) => comparePositions(each.until, floor) > 0);
    const kept = this.#earlier.findIndex(isNeeded);
    this.#earlier.splice(0, kept < 0 ? this.#earlier.length : kept);
  }

  /**
   * The earlier routes that have matched the event at a place; for a consumer that was not there yet, the first ones that know
   * it. Undefined: the routes in force. Called per event read back from the log.
   */
  at(position: Position, consumer?: string): RouteSet | undefined {
    const knows = (routes: RouteSet): boolean => consumer === undefined || routes.target(consumer) !== undefined;
    return this.#earlier.find(({ until, routes }) => comparePositions(position, until) <= 0 && knows(routes))?.routes;
  }
}
