import type { Gateway } from '@magpie/core';
import { z } from 'zod';
import { callerOf } from '../../http/access/permit.ts';
import { TICKET_MS } from '../../http/access/tickets.ts';
import { type Resource, resource } from '../deps.ts';

const entry = z.object({
  gateway: z.string().describe('Id of the gateway.'),
  version: z.string(),
  state: z.enum(['starting', 'running', 'draining', 'stopped']),
  holds: z.array(z.string()).describe('Why intake is held; empty when it is not, or for who may not read everything.'),
  alarms: z
    .array(z.string())
    .describe('Conditions that need a human, as sentences; none for who may not read everything.'),
  links: z.array(z.object({ method: z.string(), href: z.string(), title: z.string() })),
});

const ticket = z.object({ ticket: z.string(), expiresAt: z.string() });

const connectionAlarms = (gateway: Gateway): readonly string[] =>
  gateway
    .connections()
    .flatMap(({ name, alarm, troubled, details }) => [
      ...(alarm === undefined ? [] : [`connection ${name}: ${alarm}`]),
      ...troubled.map((part) => `connection ${name}, ${part}: ${details[part]}`),
    ]);

/** `GET /v1` with links to all resources, the OpenAPI description and tickets. */
export const entryResources: readonly Resource[] = [
  resource({
    method: 'GET',
    url: '/v1',
    summary: 'State of the gateway with holds and alarms, and links to all resources',
    schema: { response: { 200: entry } },
    handler:
      ({ gateway, alarms, links }) =>
      async (request) => ({
        gateway: gateway.id,
        version: gateway.version,
        state: gateway.state,
        ...(callerOf(request).access.everywhere('read') === undefined
          ? { holds: gateway.holds(), alarms: [...connectionAlarms(gateway), ...(await alarms())] }
          : { holds: [], alarms: [] }),
        links,
      }),
  }),
  resource({
    method: 'GET',
    url: '/v1/openapi.json',
    summary: 'This API as OpenAPI 3.1',
    schema: { response: { 200: z.looseObject({ openapi: z.string() }) } },
    handler:
      () =>
      async ({ server }) =>
        server.swagger(),
  }),
  resource({
    method: 'POST',
    url: '/v1/tickets',
    summary: 'A ticket for one WebSocket within 30 s, for browsers: `/v1/stream?ticket=…`',
    schema: { response: { 201: ticket } },
    handler:
      ({ tickets }) =>
      async (request, reply) => {
        const expiresAt = new Date(Date.now() + TICKET_MS).toISOString();
        return reply
          .code(201)
          .header('cache-control', 'no-store')
          .send({ ticket: tickets.issue(callerOf(request)), expiresAt });
      },
  }),
];
