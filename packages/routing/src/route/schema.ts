import { type AnyAdapter, durationSchema, EVENT_KINDS, sizeSchema } from '@magpie/contract';
import { z } from 'zod';
import { PACING_KEYS, pacingKeys } from '../pacing/schema.ts';

const kind = z.enum(EVENT_KINDS);
const order = z.enum(['key', 'strict', 'none']);
const guarantee = z.enum(['at-least-once', 'at-most-once']);

/** Retry policy as written; every part has a default. */
export const retrySchema = z
  .strictObject({
    attempts: z.number().int().min(1).max(1000).default(8).describe('How often a refused delivery is tried in all'),
    backoff: z
      .strictObject({
        min: durationSchema().prefault('500ms').describe('Wait after the first refusal'),
        max: durationSchema().prefault('30s').describe('Longest wait between two attempts'),
      })
      .refine(({ min, max }) => min <= max, { message: 'expected min to be at most max' })
      .prefault({})
      .describe('Waiting between attempts, doubled each time and spread at random'),
    maxAge: durationSchema()
      .prefault('24h')
      .describe(
        'Age at which a delivery is given up. Time that only a clock which was set says has passed does not count',
      ),
    linkLosses: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe(
        'How often the link may end while a message is alone on its way before that message is given up; a message that the other side names as the reason is given up the first time',
      ),
    then: z.enum(['dead-letter', 'drop', 'block']).default('dead-letter').describe('What happens when it is given up'),
  })
  .describe('When and how often a delivery is tried again');

const backlogSchema = z
  .strictObject({
    bytes: sizeSchema().prefault('1GiB').describe('Most that may be waiting'),
    age: durationSchema()
      .prefault('7d')
      .describe(
        'Oldest that may be waiting; what has been refused, or is held behind something refused, does not count',
      ),
    onFull: z
      .enum(['block', 'dead-letter', 'drop'])
      .default('block')
      .describe(
        'What happens while it is full: `block` holds back the place that feeds it where the protocol can hold one by itself (a queue), else all that its connection receives, unless source and target would then wait for each other; `dead-letter` and `drop` give new deliveries up, with a dead letter or without',
      ),
  })
  .describe('What the target may have waiting');

const startSchema = z
  .union([z.enum(['now', 'earliest']), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))], {
    error: 'expected "now", "earliest" or a time such as "2026-01-31T08:00:00Z"',
  })
  .meta({ expected: '"now", "earliest" or a time such as "2026-01-31T08:00:00Z"' })
  .describe('Where a new target begins: with new events, the oldest kept, or a time');

const template = z.string();
const removable = template.nullable();

/** Keys of `from` that mean the same for every protocol. */
export const sourceKeys = z.strictObject({
  connection: z.string().describe('Name of the connection the events come from'),
  kind: z
    .union([kind, z.array(kind).min(1)])
    .default('message')
    .describe('Kinds of event to take'),
  text: z
    .string()
    .optional()
    .describe(
      'Pattern that the whole text must fit, such as "!{device} {state}"; captures as in an address. Blanks around the text do not count, several are one',
    ),
  ignoreCase: z
    .boolean()
    .default(false)
    .describe('Whether the words of `text` fit in upper and lower case; captures stay as they are written'),
  durability: z
    .enum(['log', 'none'])
    .default('log')
    .describe(
      '`log`: acknowledged once on disk. `none`: events bypass the log and go to the targets at once; they are not kept, not tried again and not shown (at most once)',
    ),
});

/** Keys of a route or target that have no meaning without the log. */
export const LOG_KEYS = [
  ...(['reply', 'otherwise', 'onLate', 'lateSummary', 'retry', 'order', 'key', 'start', 'backlog'] as const),
  ...PACING_KEYS,
] as const;

/** Keys of a target that mean the same for every protocol. */
export const targetKeys = z.strictObject({
  connection: z.string().describe('Name of the connection to send to; never a template'),
  id: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
      'expected letters, digits, ".", "_" and "-", beginning with a letter or digit',
    )
    .optional()
    .describe('Stable name of the target; default the connection and the address'),
  payload: z.unknown().optional().describe('New body as JSON; strings in it are templates'),
  text: template.optional().describe('New body as text; a template'),
  base64: template.optional().describe('New body as base64; a template'),
  headers: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Headers to add to the event's or to replace; null removes one"),
  contentType: removable.optional().describe('Media type of the body; null removes it'),
  correlationId: removable.optional().describe("Replaces the event's correlation id; null removes it"),
  replyTo: removable.optional().describe('Replaces where answers go, as scheme:value; null removes it'),
  type: removable.optional().describe("Replaces the event's type; null removes it"),
  subject: removable.optional().describe("Replaces the event's subject; null removes it"),
  priority: z
    .union([z.number().int().min(0).max(9), template, z.null()])
    .optional()
    .describe('0 to 9, 4 is normal; null removes it'),
  ttl: durationSchema()
    .nullable()
    .optional()
    .describe('How long the message is worth delivering, from its receipt; null: for ever'),
  key: template.optional().describe('Ordering key of this target; a template'),
  start: startSchema.default('now'),
  order: order.optional().describe("Order kept by this target; default the route's"),
  guarantee: guarantee.optional().describe("Guarantee that must hold for this target; default the route's"),
  backlog: backlogSchema.prefault({}),
  retry: retrySchema.optional().describe("Retry policy of this target; default the route's"),
  ...pacingKeys,
});

/** What a route does with the reply to what it sends; `from` is checked with the adapter's own keys. */
export const replyKeys = z
  .strictObject({
    from: z
      .record(z.string(), z.unknown())
      .describe(
        'Where replies come in: the words of a source, of the connection of the target unless it names another with `connection`. A capture that the route has as well takes its value from there; without other captures and wildcards it is the reply address of the request',
      ),
    timeout: durationSchema()
      .refine((ms) => ms >= 100 && ms <= 86_400_000, { error: 'expected a duration from 100ms to 24h' })
      .prefault('10s')
      .describe('How long a reply is waited for, from the receipt of the event; the request expires then as well'),
    text: template
      .optional()
      .describe(
        'What goes back to where the event came from, as text; a template, with `reply.payload`, `reply.text`, `reply.headers` and `reply.event` of the reply. Without text and payload the body of the reply',
      ),
    payload: z.unknown().optional().describe('The same as JSON; strings in it are templates'),
    onTimeout: template
      .optional()
      .describe('Text that goes back, once, when no reply has come in time; a template. A later reply is ignored'),
    onRefused: template
      .optional()
      .describe(
        'Text that goes back, once, when the request is refused for good, or when what came back cannot be made into an answer; a template, with the reason in `reply.error`',
      ),
  })
  .describe(
    'Sends the event as a request, and the reply to it back to where the event came from. Everything is kept in the log: a reply finds its way after a restart too',
  );

/** A route; `from` and `to` are checked with the adapters' own keys. */
export const routeKeys = z.strictObject({
  description: z.string().optional().describe('For humans'),
  from: z.record(z.string(), z.unknown()).describe('Where the events come from'),
  when: z.string().optional().describe('Condition (CEL) an event must meet'),
  let: z.record(z.string(), z.unknown()).optional().describe('Named values; every text in them is an expression (CEL)'),
  key: template
    .optional()
    .describe('Ordering key: deliveries with the same key stay in order; a template, default the address'),
  allow: z.array(z.string()).min(1).optional().describe('Who may use the route, in the words of the protocol'),
  late: z
    .enum(['report', 'skip', 'run'])
    .default('report')
    .describe(
      'What a command route (one with `text` or `allow`) does with a command said while the gateway was away: `report` where it was said that it does not run (routes with `text`), `skip` it without a word, or `run` it now',
    ),
  onLate: template
    .optional()
    .describe('Text of that report; a template. Default: that the command was not run, and the command'),
  lateSummary: template
    .optional()
    .describe(
      'Text of the one line that ends the reports of a place which has had five of them, said once none has come for 5 s; a template that knows `count`, how many more there were. The count is in memory: a gateway that stops before says nothing of them',
    ),
  payloadSchema: z.string().optional().describe('File with a JSON Schema that the payload must meet'),
  to: z
    .union([z.array(z.record(z.string(), z.unknown())).min(1), z.record(z.string(), z.unknown())], {
      error: 'expected a target or a list of targets',
    })
    .describe('Where the events go: one target or a list'),
  reply: replyKeys.optional(),
  otherwise: template
    .optional()
    .describe(
      'Text that goes back to where a message came from that looks like a command but is none: it begins as `text` does before its first capture (at the place and with the kind of `from`), and no route with `text` takes it, whether for its words, its sender or its condition. A template without the captures of the text. Of several routes the first one answers',
    ),
  retry: retrySchema.prefault({}),
  ...pacingKeys,
  order: order.default('key').describe('key: in order per key; strict: one at a time; none: free'),
  guarantee: guarantee.optional().describe('Guarantee that must hold; loading fails when it cannot'),
  allowEcho: z.boolean().default(false).describe('Accepts a cycle through a connection that carries no metadata'),
  acceptOwn: z
    .boolean()
    .default(false)
    .describe(
      'Takes messages that this gateway has sent itself and that come back, such as from a delay queue; eight hops at the most',
    ),
  tests: z.array(z.unknown()).optional().describe('Examples: what a given message must lead to'),
});

/** What a route says about replies, durations in ms. */
export type ReplyKeys = z.output<typeof replyKeys>;
/** A route as written, defaults filled in, durations in ms. Read by the compiler of routes. */
export type RouteKeys = z.output<typeof routeKeys>;
/** The common keys of a target as written, defaults filled in. Read by the compiler of targets. */
export type TargetKeys = z.output<typeof targetKeys>;

/** Names of routes: they are part of consumer names and metrics labels. */
export const ROUTE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * Schema of the whole `routes:` value for documentation and editors: the common keys with the adapters' own ones beside
 * them. Values of adapter keys may be templates. Loading does not use it; `compileRoutes` knows more and says it better.
 */
export function routesSchema(adapters: Iterable<AnyAdapter>): z.ZodType {
  const list = [...adapters];
  const from = list.map(({ sourceSchema }) => z.strictObject({ ...sourceSchema.shape, ...sourceKeys.shape }));
  const to = list.map(({ targetSchema }) => z.strictObject({ ...templated(targetSchema), ...targetKeys.shape }));
  const target = z.union(to);
  return z.record(
    z.string().regex(ROUTE_NAME),
    z.strictObject({ ...routeKeys.shape, from: z.union(from), to: z.union([target, z.array(target)]) }),
  );
}

const templated = ({ shape }: z.ZodObject): Record<string, z.core.$ZodType> =>
  Object.fromEntries(
    Object.entries(shape).map(([key, value]) => {
      const { description } = z.globalRegistry.get(value) ?? {};
      const either = z.union([value, z.string().regex(/\$\{/)]);
      const optional = value instanceof z.ZodOptional || value instanceof z.ZodDefault ? either.optional() : either;
      return [key, description === undefined ? optional : optional.describe(description)];
    }),
  );
