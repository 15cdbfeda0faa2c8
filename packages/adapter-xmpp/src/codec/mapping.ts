/** One row of the table of protocol mappings. */
export interface MappingRow {
  readonly concept: string;
  /** Field of the canonical event, or what it is about when there is none. */
  readonly canonical: string;
  /** What carries it on the wire. */
  readonly xmpp: string;
}

/** How an event stands on the wire. The documentation's table is made from it. */
export const MAPPING: readonly MappingRow[] = [
  {
    concept: 'Place',
    canonical: 'address',
    xmpp: '`room:` bare JID of the room; `jid:` bare JID of the sender, full JID for a private message in a room',
  },
  {
    concept: 'Content',
    canonical: 'body',
    xmpp: '`<body>`; base64 `<payload>` in `<event>` beside a readable `<body>` when XML cannot carry the bytes',
  },
  {
    concept: 'Delivery id',
    canonical: 'delivery',
    xmpp: 'stanza `id` and XEP-0359 `<origin-id>`, the same on every resend',
  },
  { concept: 'Sender’s id', canonical: 'id', xmpp: '`<event><id>`, else `<origin-id>`, else stanza `id`' },
  {
    concept: 'Server’s id',
    canonical: 'origin.stanzaId, dedupeKey',
    xmpp: 'XEP-0359 `<stanza-id>` of the room or our account, when it announces the feature',
  },
  {
    concept: 'Correlation',
    canonical: 'correlationId',
    xmpp: '`<event><correlation-id>`, readable copy in `<thread>`',
  },
  { concept: 'Reply address', canonical: 'replyTo', xmpp: '`<event><reply-to scheme>` with one `<segment>` each' },
  {
    concept: 'Media type',
    canonical: 'contentType, contentEncoding',
    xmpp: '`<event><content-type>`, `<content-encoding>`; a message without `<event>` is `text/plain`',
  },
  {
    concept: 'Type, subject',
    canonical: 'type, subject',
    xmpp: '`<event><type>`, `<subject>`; one to one also `<subject>`, never in a room',
  },
  {
    concept: 'Headers',
    canonical: 'headers',
    xmpp: '`<event><header name>`, in order; other types than text as JSON with `type="json"`',
  },
  {
    concept: 'Time',
    canonical: 'time',
    xmpp: '`<event time>` in ms, else XEP-0203 delay of the room or our server, else arrival',
  },
  { concept: 'Expiry', canonical: 'expiresAt', xmpp: '`<event expires-at>` in ms' },
  { concept: 'Priority, retain', canonical: 'priority, retain', xmpp: '`<event priority retain>`' },
  { concept: 'Gateways passed', canonical: 'via', xmpp: '`<event><via>`, one each' },
  { concept: 'Trace', canonical: 'trace', xmpp: '`<event><traceparent>`, `<tracestate>`' },
  { concept: 'History', canonical: 'origin.replay', xmpp: 'room message with XEP-0203 delay' },
  {
    concept: 'Kept for later',
    canonical: 'redelivered, origin.delayed',
    xmpp: 'message with XEP-0203 delay of our server',
  },
  {
    concept: 'Receipt',
    canonical: 'kind receipt, type delivered',
    xmpp: 'XEP-0184 `<received>`; `correlationId` is the delivery',
  },
  {
    concept: 'Bounce',
    canonical: 'kind status, type bounced',
    xmpp: 'message of type `error` after the confirmation; `correlationId` is the delivery, which becomes a dead letter',
  },
];
