import type { MappingRow } from '@magpie/adapter-kit';
import { RESERVED } from './reserved.ts';

const header = (name: keyof typeof RESERVED): string => `header \`${RESERVED[name]}\``;

/** The mapping of every field of an event, in the order in which the event lists them. */
export const MAPPING: readonly MappingRow<'amqp'>[] = [
  { concept: 'Message id', field: 'id', amqp: `\`message-id\`; over 255 bytes ${header('id')}` },
  { concept: 'Type', field: 'type', amqp: `\`type\`; over 255 bytes ${header('type')}` },
  { concept: 'Subject', field: 'subject', amqp: header('subject') },
  {
    concept: 'Content type',
    field: 'contentType',
    amqp: `\`content-type\`; over 255 bytes ${header('contentType')}`,
  },
  {
    concept: 'Content encoding',
    field: 'contentEncoding',
    amqp: `\`content-encoding\`; over 255 bytes ${header('contentEncoding')}`,
  },
  { concept: 'Body', field: 'body', amqp: 'body, byte for byte' },
  {
    concept: 'Headers',
    field: 'headers',
    amqp: 'header table with its types; values of a repeated name become one list; integers beyond 2^53 are received as text, NaN and infinity are sent as text',
  },
  {
    concept: 'Correlation id',
    field: 'correlationId',
    amqp: `\`correlation-id\`; bytes or over 255 bytes ${header('correlationId')}`,
  },
  {
    concept: 'Reply address',
    field: 'replyTo',
    amqp: `\`reply-to\` for a queue; any other address as text in ${header('replyTo')}`,
  },
  { concept: 'Priority', field: 'priority', amqp: '`priority`; more than 9 is received as 9' },
  { concept: 'Last value', field: 'retain', amqp: header('retain') },
  { concept: 'Trace', field: 'trace', amqp: 'headers `traceparent` and `tracestate`' },
  {
    concept: 'Gateways passed',
    field: 'via',
    amqp: `\`app-id\` of a gateway names it; more than one in ${header('via')}, an array of strings`,
  },
  {
    concept: 'Time',
    field: 'time',
    amqp: `\`timestamp\` in seconds, the ms by a \`message-id\` that is a UUIDv7 of that second, as refs are; any other in ${header('time')}`,
  },
  {
    concept: 'Expiry',
    field: 'expiresAt',
    amqp: `\`expiration\` in ms from now, up to 49 days; exact time in ${header('expiresAt')}. Without it a received \`expiration\` counts from the receipt`,
  },
  {
    concept: 'Second delivery',
    field: 'redelivered',
    amqp: `received: the broker's flag or ${header('redelivered')}; sent: the header`,
  },
  {
    concept: 'Dedupe key',
    field: 'dedupeKey, dedupe',
    amqp: 'received: queue and `message-id`; compared on a second delivery, with `dedupe: messageId` on every one',
  },
  {
    concept: 'Delivery',
    field: 'delivery',
    amqp: 'not sent: a returned message is known by its place and `message-id`',
  },
  {
    concept: 'Persistence',
    field: '(target option `persistent`)',
    amqp: '`delivery-mode` 2; received in `origin.deliveryMode`',
  },
  {
    concept: 'Publisher',
    field: '(gateway id)',
    amqp: '`app-id` `magpie/<gateway id>`; received in `origin.appId`',
  },
  {
    concept: 'User',
    field: 'origin.userId',
    amqp: '`user-id`, received only: the broker refuses any but the login',
  },
  {
    concept: 'Place',
    field: 'address',
    amqp: 'received: queue and routing key; sent: exchange and routing key, or queue',
  },
];
