import type { MappingRow } from '@magpie/adapter-kit';
/** User properties for fields that MQTT does not have. Removed from the headers of a received message. */
export const PROPERTY = {
  id: 'magpie-id',
  type: 'magpie-type',
  subject: 'magpie-subject',
  contentEncoding: 'magpie-content-encoding',
  priority: 'magpie-priority',
  time: 'magpie-time',
  replyTo: 'magpie-reply-to',
  via: 'magpie-via',
  redelivered: 'magpie-redelivered',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const;

/** Names that a header of a message cannot have on the wire. */
export const RESERVED: ReadonlySet<string> = new Set(Object.values(PROPERTY));

const property = (name: string): string => `user property \`${name}\``;

/** How the fields of an event travel; source of the documentation's table. */
export const MAPPING: readonly MappingRow<'mqtt5' | 'mqtt311'>[] = [
  { concept: 'Address', field: 'address', mqtt5: 'topic', mqtt311: 'topic' },
  { concept: 'Body', field: 'body', mqtt5: 'payload', mqtt311: 'payload' },
  {
    concept: 'Last value',
    field: 'retain',
    mqtt5: 'RETAIN flag, retain-as-published',
    mqtt311: 'RETAIN flag when sending',
  },
  { concept: 'Media type', field: 'contentType', mqtt5: 'Content Type', mqtt311: '' },
  { concept: 'Text flag', field: 'origin.utf8', mqtt5: 'Payload Format Indicator', mqtt311: '' },
  {
    concept: 'Expiry',
    field: 'expiresAt',
    mqtt5: 'Message Expiry Interval: whole seconds, rounded up, at least 1',
    mqtt311: '',
  },
  {
    concept: 'Reply address',
    field: 'replyTo',
    mqtt5: `Response Topic; another scheme as ${property(PROPERTY.replyTo)}`,
    mqtt311: '',
  },
  { concept: 'Correlation', field: 'correlationId', mqtt5: 'Correlation Data', mqtt311: '' },
  {
    concept: 'Headers',
    field: 'headers',
    mqtt5: 'User Properties; names may repeat, values become text, order is kept',
    mqtt311: '',
  },
  { concept: 'Message id', field: 'id', mqtt5: property(PROPERTY.id), mqtt311: '' },
  { concept: 'Type', field: 'type', mqtt5: property(PROPERTY.type), mqtt311: '' },
  { concept: 'Subject', field: 'subject', mqtt5: property(PROPERTY.subject), mqtt311: '' },
  { concept: 'Content encoding', field: 'contentEncoding', mqtt5: property(PROPERTY.contentEncoding), mqtt311: '' },
  { concept: 'Priority', field: 'priority', mqtt5: property(PROPERTY.priority), mqtt311: '' },
  {
    concept: 'Sender’s time',
    field: 'time',
    mqtt5: `${property(PROPERTY.time)}, ISO 8601`,
    mqtt311: 'time of arrival',
  },
  { concept: 'Gateways passed', field: 'via', mqtt5: `${property(PROPERTY.via)}, one per gateway`, mqtt311: '' },
  {
    concept: 'Trace',
    field: 'trace',
    mqtt5: `${property(PROPERTY.traceparent)}, ${property(PROPERTY.tracestate)}`,
    mqtt311: '',
  },
  {
    concept: 'Possible repeat',
    field: 'redelivered',
    mqtt5: `DUP flag or ${property(PROPERTY.redelivered)}`,
    mqtt311: 'DUP flag when receiving',
  },
  {
    concept: 'Dedupe key',
    field: 'dedupeKey',
    mqtt5: 'the user property named by `dedupe.userProperty`',
    mqtt311: '',
  },
];
