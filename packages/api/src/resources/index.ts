import { configResources } from './config/routes.ts';
import { connectionResources } from './connections/routes.ts';
import { deadLetterResources } from './dead-letters/routes.ts';
import type { Link, Resource } from './deps.ts';
import { eventResources } from './events/routes.ts';
import { messageResources } from './messages/routes.ts';
import { presenceResources } from './presence/routes.ts';
import { entryResources } from './service/entry.ts';
import { healthResources } from './service/health.ts';
import { targetResources } from './targets/routes.ts';

/** Every resource, in the order of the documentation. Routes, OpenAPI, links and the page are made from this table. */
export const RESOURCES: readonly Resource[] = [
  ...messageResources,
  ...eventResources,
  ...connectionResources,
  ...presenceResources,
  ...targetResources,
  ...deadLetterResources,
  ...configResources,
  ...entryResources,
  ...healthResources,
];

/** A resource with its path as a URI template (RFC 6570). */
const linkTo = ({ method, url, summary }: Resource): Link => ({
  method,
  href: url.replace(/:(\w+)/g, '{$1}'),
  title: summary,
});

/** Links to all resources, and to the stream, which is a WebSocket. */
export const LINKS: readonly Link[] = [
  ...RESOURCES.map(linkTo),
  { method: 'GET', href: '/v1/stream', title: 'Live events by WebSocket' },
];
