import type { MappingRow } from '@magpie/adapter-kit';

/** `publish`: its place in `POST /v1/messages`. `shown`: its place in events of answers and frames. */
type HttpRow = MappingRow<'publish' | 'shown'>;

const same = (concept: string, name: string): HttpRow => ({
  concept,
  field: name,
  publish: `\`${name}\``,
  shown: `\`${name}\``,
});

/** How the fields of an event travel over REST and the stream; source of the documentation's table. */
export const MAPPING: readonly HttpRow[] = [
  {
    concept: 'Address',
    field: 'address',
    publish: '`topic`; or `to`: a connection and an address in the form of its protocol',
    shown: '`address`, as `scheme:value`',
  },
  { concept: 'Connection', field: 'source', publish: 'always `http`; with `to` `$direct`', shown: '`source`' },
  {
    concept: 'Body',
    field: 'body',
    publish: '`payload` (JSON), `text` or `base64`',
    shown: '`payload` when it is JSON, `text` when it is UTF-8, else `base64`',
  },
  same('Media type', 'contentType'),
  same('Content encoding', 'contentEncoding'),
  same('Message id', 'id'),
  same('Type', 'type'),
  same('Subject', 'subject'),
  same('Ordering key', 'key'),
  { concept: 'Headers', field: 'headers', publish: '`headers`: an object or pairs', shown: '`headers`: pairs' },
  same('Correlation', 'correlationId'),
  same('Reply address', 'replyTo'),
  same('Priority', 'priority'),
  same('Last value', 'retain'),
  { concept: 'Expiry', field: 'expiresAt', publish: '`ttl` or `expiresAt`', shown: '`expiresAt`' },
  same('Sender’s time', 'time'),
  { concept: 'Time of receipt', field: 'receivedAt', publish: '', shown: '`receivedAt`' },
  {
    concept: 'Trace',
    field: 'trace',
    publish: 'headers `traceparent`, `tracestate`',
    shown: '`traceparent`, `tracestate`',
  },
  { concept: 'Gateways passed', field: 'via', publish: 'header `magpie-via`', shown: '`via`' },
  { concept: 'Dedupe key', field: 'dedupeKey', publish: 'header `Idempotency-Key`, per key of the API', shown: '' },
  { concept: 'Possible repeat', field: 'redelivered', publish: '', shown: '`redelivered`' },
  {
    concept: 'Protocol facts',
    field: 'origin',
    publish: 'principal, address and key of the request',
    shown: '`origin`',
  },
  { concept: 'Kind', field: 'kind', publish: 'always `message`', shown: '`kind`' },
  { concept: 'Ref', field: 'ref', publish: 'assigned by the gateway', shown: '`ref`' },
];
