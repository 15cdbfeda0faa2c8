import type { Gateway } from '@magpie/core';
import type { Metrics } from '@magpie/telemetry';
import type { FastifySchema } from 'fastify';
import type { Tickets } from '../http/access/tickets.ts';
import { defineResource, type ResourceDefinition, type Resource as ResourceOf } from '../http/resource.ts';
import type { ConfigControl } from './config/control.ts';

/** A link from the entry to a resource. */
export interface Link {
  readonly method: string;
  readonly href: string;
  readonly title: string;
}

/** Dependencies of the resource handlers. */
export interface ResourceDeps {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
  readonly tickets: Tickets;
  /** The configuration in force; undefined when the gateway was not started from a file. */
  readonly config: ConfigControl | undefined;
  /** Alarms besides those of connections, as sentences. */
  alarms(): Promise<readonly string[]>;
  /** Links to everything. */
  readonly links: readonly Link[];
}

/** A resource whose handler uses `ResourceDeps`. */
export type Resource = ResourceOf<ResourceDeps>;

/** Defines a resource of this API. */
export const resource = <const S extends FastifySchema>(definition: ResourceDefinition<S, ResourceDeps>): Resource =>
  defineResource(definition);
