import { RESERVED } from './reserved.ts';

/** How one concept of an event is carried by AMQP 0-9-1. The documentation's table is generated from these rows. */
export interface MappingRow {
  readonly concept: string;
  /** Field of the event. */
  readonly canonical: string;
  readonly amqp: string;
}

const header = (name: keyof typeof RESERVED): string => `header \`${RESERVED[name]}\``;

/** The mapping of every field of an event, in the order in which the event lists them. */
export const MAPPING: readonly MappingRow[] = [
  { concept: 'Message id', canonical: 'id', amqp: `\`message-id\`; over 255 bytes ${header('id')}` },
  { concept: 'Type', canonical: 'type', amqp: `\`type\`; over 255 bytes ${header('type')}` },
  { concept: 'Subject', canonical: 'subject', amqp: header('subject') },
  {
    concept: 'Content type',
    canonical: 'contentType',
    amqp: `\`content-type\`; over 255 bytes ${header('contentType')}`,
  },
  {
    concept: 'Content encoding',
    canonical: 'contentEncoding',
    amqp: `\`content-encoding\`; over 255 bytes ${header('contentEncoding')}`,
  },
  { concept: 'Body', canonical: 'body', amqp: 'body, byte for byte' },
  {
    concept: 'Headers',
    canonical: 'headers',
    amqp: 'header table with its types; values of a repeated name become one list; integers beyond 2^53 are received as text, NaN and infinity are sent as text',
  },
  {
    concept: 'Correlation id',
    canonical: 'correlationId',
    amqp: `\`correlation-id\`; bytes or over 255 bytes ${header('correlationId')}`,
  },
  {
    concept: 'Reply address',
    canonical: 'replyTo',
    amqp: `\`reply-to\` for a queue; any other address as text in ${header('replyTo')}`,
  },
  { concept: 'Priority', canonical: 'priority', amqp: '`priority`; more than 9 is received as 9' },
  { concept: 'Last value', canonical: 'retain', amqp: header('retain') },
  { concept: 'Trace', canonical: 'trace', amqp: 'headers `traceparent` and `tracestate`' },
  {
    concept: 'Gateways passed',
    canonical: 'via',
    amqp: `\`app-id\` of a gateway names it; more than one in ${header('via')}, an array of strings`,
  },
  {
    concept: 'Time',
    canonical: 'time',
    amqp: `\`timestamp\` in seconds, the ms by a \`message-id\` that is a UUIDv7 of that second, as refs are; any other in ${header('time')}`,
  },
  {
    concept: 'Expiry',
    canonical: 'expiresAt',
    amqp: `\`expiration\` in ms from now, up to 49 days; exact time in ${header('expiresAt')}. Without it a received \`expiration\` counts from the receipt`,
  },
  {
    concept: 'Second delivery',
    canonical: 'redelivered',
    amqp: `received: the broker's flag or ${header('redelivered')}; sent: the header`,
  },
  {
    concept: 'Dedupe key',
    canonical: 'dedupeKey, dedupe',
    amqp: 'received: queue and `message-id`; compared on a second delivery, with `dedupe: messageId` on every one',
  },
  {
    concept: 'Delivery',
    canonical: 'delivery',
    amqp: 'not sent: a returned message is known by its place and `message-id`',
  },
  {
    concept: 'Persistence',
    canonical: '(target option `persistent`)',
    amqp: '`delivery-mode` 2; received in `origin.deliveryMode`',
  },
  {
    concept: 'Publisher',
    canonical: '(gateway id)',
    amqp: '`app-id` `magpie/<gateway id>`; received in `origin.appId`',
  },
  {
    concept: 'User',
    canonical: 'origin.userId',
    amqp: '`user-id`, received only: the broker refuses any but the login',
  },
  {
    concept: 'Place',
    canonical: 'address',
    amqp: 'received: queue and routing key; sent: exchange and routing key, or queue',
  },
];
