import {
  type AccessRules,
  type AnyAdapter,
  type Connection,
  createAddressBook,
  defineAdapter,
  type Event,
  type EventKind,
  type Guarantee,
  pathScheme,
} from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import { z } from 'zod';
import { type Compiled, type CompileInput, type ConnectionInfo, compileRoutes } from '../../src/index.ts';

const noConnection = (): Connection => {
  throw new Error('these tests do no I/O');
};

const sure = (is: boolean, link: string): Guarantee =>
  is
    ? { level: 'at-least-once', reason: `${link} is confirmed` }
    : { level: 'at-most-once', reason: `${link} is not confirmed` };

/** Paths like `plant/p7/alarm` with `+` and `#`; metadata survives unless the connection says otherwise. */
export const pathAdapter = defineAdapter({
  type: 'path',
  connectionSchema: z.strictObject({
    metadata: z.boolean().default(true),
    sends: z.boolean().default(true),
    holdsPerPlace: z.boolean().default(true),
  }),
  sourceSchema: z.strictObject({ path: z.string(), sure: z.boolean().default(true), echo: z.boolean().optional() }),
  targetSchema: z.strictObject({ path: z.string(), sure: z.boolean().default(true), keep: z.boolean().default(false) }),
  originSchema: z.strictObject({
    level: z.number().int().optional(),
    ratio: z.number().optional(),
    replay: z.boolean().optional(),
    tags: z.array(z.string()).optional(),
    client: z.strictObject({ name: z.string() }).optional(),
  }),
  addresses: [pathScheme({ scheme: 'path', word: 'path', separator: '/', one: '+', many: '#', maxBytes: 200 })],
  kinds: ['message', 'status', 'presence', 'receipt'],
  capabilities: ({
    metadata,
    sends,
    holdsPerPlace,
  }: {
    metadata: boolean;
    sends: boolean;
    holdsPerPlace: boolean;
  }) => ({
    ...{
      holdsPerPlace,
      receives: true,
      sends,
      fifoWindow: 1,
      sendsWhileHeld: false,
      metadata,
      maxBodyBytes: 1_000_000,
    },
  }),
  guarantees: {
    source: (_: unknown, { sure: is }: { sure: boolean }) => sure(is, 'receiving'),
    target: (_: unknown, { sure: is }: { sure: boolean }) => sure(is, 'sending'),
  },
  placeOf: ({ path }: { path: string }) => path,
  statements: (_: unknown, kinds: ReadonlySet<EventKind>) => [
    ...(kinds.has('message')
      ? [
          { name: 'levels', fields: ['origin.level'] },
          { name: 'clients', fields: ['origin.client'] },
        ]
      : []),
    ...(kinds.has('receipt') ? [{ name: 'receipts', fields: ['kind', 'correlationId'] }] : []),
  ],
  create: noConnection,
});

const access: AccessRules = {
  validate: (entry) => (/^[a-z]+$/.test(entry) ? undefined : `"${entry}" is no role: expected lower case letters`),
  permits: (entry, origin) => origin.role === entry,
  open: true,
};

const board = pathScheme({ scheme: 'board', word: 'board', separator: '.', maxBytes: 200 });

/** Two schemes: `desk` (one segment) and `board` + `label` (dotted); anyone may write, so it knows access rules. */
export const officeAdapter = defineAdapter({
  type: 'office',
  connectionSchema: z.strictObject({}),
  sourceSchema: z.strictObject({
    desk: z.string().optional(),
    board: z.string().optional(),
    label: z.string().optional(),
  }),
  targetSchema: z.strictObject({
    desk: z.string().optional(),
    board: z.string().optional(),
    label: z.string().optional(),
    copies: z.number().int().default(1),
  }),
  originSchema: z.strictObject({
    role: z.string().optional(),
    replay: z.boolean().optional(),
    late: z.boolean().optional(),
  }),
  addresses: [
    pathScheme({ scheme: 'desk', word: 'desk', separator: '/', maxBytes: 200 }),
    {
      ...board,
      words: ['board', 'label'],
      split: ({ board: name = '', label }) => [name, ...(label === undefined ? [] : label.split('.'))],
      splitPattern: ({ board: name = '', label }) => [name, ...(label === undefined ? [] : label.split('.'))],
      join: ([name = '', ...label]) => ({ board: name, ...(label.length === 0 ? {} : { label: label.join('.') }) }),
      wildcard: (segment) => (segment === '*' ? 'one' : segment === '#' ? 'many' : undefined),
    },
  ],
  kinds: ['message'],
  capabilities: () => ({
    ...{
      holdsPerPlace: true,
      receives: true,
      sends: true,
      fifoWindow: 1,
      sendsWhileHeld: true,
      metadata: true,
      maxBodyBytes: 1_000_000,
    },
  }),
  guarantees: { source: () => sure(true, 'receiving'), target: () => sure(true, 'sending') },
  placeOf: ({ desk, board: name = '' }: { desk?: string | undefined; board?: string | undefined }) => desk ?? name,
  access,
  create: noConnection,
});

export const book = createAddressBook([pathAdapter, officeAdapter]);

export const info = (
  name: string,
  adapter: AnyAdapter,
  config: object = {},
  subscribe: readonly unknown[] = [],
): ConnectionInfo => ({
  ...{ name, adapter, config: adapter.connectionSchema.parse(config), subscribe },
});

/** `floor` and `yard` (paths), `bare` (paths without metadata), `mute` (cannot send), `hall` (held as a whole), `office`. */
export const connections: ReadonlyMap<string, ConnectionInfo> = new Map(
  [
    info('floor', pathAdapter, {}, [{ path: 'plant/+/alarm' }, { path: 'audit/#' }]),
    info('yard', pathAdapter),
    info('bare', pathAdapter, { metadata: false }),
    info('mute', pathAdapter, { sends: false }),
    info('hall', pathAdapter, { holdsPerPlace: false }),
    info('office', officeAdapter),
  ].map((each) => [each.name, each]),
);

/** Compiles routes over the test connections. */
export const compile = (routes: unknown, input: Partial<CompileInput> = {}): Compiled =>
  compileRoutes({ routes, connections, gatewayId: 'gw', book, ...input });

/** Compiles one route named `r` with a plain target unless given; fails the test on any error. */
export function route(parts: Record<string, unknown>): Compiled['routes'] {
  const { routes, problems } = compile({
    r: { from: { connection: 'floor', path: 'a/{b}' }, to: toOffice(), ...parts },
  });
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(JSON.stringify(errors, null, 1));
  return routes;
}

/** A target at a desk. */
export const toOffice = (parts: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...{ connection: 'office', desk: 'd1' },
  ...parts,
});

/** The problems of one route `r`. */
export const problemsOf = (parts: Record<string, unknown>): readonly Problem[] =>
  compile({ r: { from: { connection: 'floor', path: 'a/{b}' }, to: toOffice(), ...parts } }).problems;

/** An event at `floor`, path `a/x`, unless said otherwise; `json` becomes its body. */
export function event(parts: Partial<Event> & { readonly json?: unknown; readonly content?: string } = {}): Event {
  const { json, content, ...rest } = parts;
  const body =
    json === undefined
      ? { body: Buffer.from(content ?? '') }
      : { body: Buffer.from(JSON.stringify(json)), contentType: 'application/json' };
  return {
    ref: '0190-ref',
    source: 'floor',
    address: { scheme: 'path', segments: ['a', 'x'] },
    kind: 'message',
    key: 'path:a/x',
    time: 1_700_000_000_000,
    receivedAt: 1_700_000_000_500,
    headers: [],
    via: [],
    origin: {},
    ...body,
    ...rest,
  };
}

/** The body of the first target's message as text. */
export function bodyFor(routes: Compiled['routes'], of: Event): string {
  const [match] = routes.match(of);
  if (match === undefined) throw new Error('no route matched');
  if (match.error !== undefined) throw match.error;
  return Buffer.from(match.target.render(of).parts.body).toString();
}
