import type { Gateway } from '@magpie/core';
import type { Metrics } from '@magpie/telemetry';
import type { Tickets } from '../http/tickets.ts';

/** A link from the entry to a resource. */
export interface Link {
  readonly method: string;
  readonly href: string;
  readonly title: string;
}

/** What the handlers of resources need. */
export interface ResourceDeps {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
  readonly tickets: Tickets;
  /** Links to everything. */
  readonly links: readonly Link[];
}
