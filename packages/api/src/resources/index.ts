import type { Gateway } from '@magpie/core';
import type { Metrics } from '@magpie/telemetry';
import type { Resource } from '../http/resource.ts';
import type { Tickets } from '../http/tickets.ts';
import { connectionResources } from './connections.ts';
import { entryResources } from './entry.ts';
import { eventResources } from './events.ts';
import { healthResources } from './health.ts';
import { messageResources } from './messages.ts';

/** A link from the entry to a resource. */
export interface Link {
  readonly method: string;
  readonly href: string;
  readonly title: string;
}

/** What resources need. */
export interface ResourceDeps {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
  readonly tickets: Tickets;
  readonly links: () => readonly Link[];
}

/** The stream is no resource: it is a WebSocket. */
const STREAM: Link = { method: 'GET', href: '/v1/stream', title: 'Live events by WebSocket' };

/** All resources, in the order of the documentation. */
export function allResources(deps: Omit<ResourceDeps, 'links'>): readonly Resource[] {
  const links = (): readonly Link[] => [...resources.map(linkTo), STREAM];
  const all: ResourceDeps = { ...deps, links };
  const resources: readonly Resource[] = [
    ...messageResources(all),
    ...eventResources(all),
    ...connectionResources(all),
    ...entryResources(all),
    ...healthResources(all),
  ];
  return resources;
}

/** A resource with its path as a URI template (RFC 6570). */
export const linkTo = ({ method, url, summary }: Resource): Link => ({
  method,
  href: url.replace(/:(\w+)/g, '{$1}'),
  title: summary,
});
