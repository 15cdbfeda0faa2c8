import type { MappingRow } from '@magpie/adapter-kit';
/** How the fields of an event travel; source of the documentation's table. */
export const MAPPING: readonly MappingRow<'xmpp'>[] = [
  {
    concept: 'Place',
    field: 'address',
    xmpp: '`room:` bare JID of the room; `contact:` the address of a component that was written to; `command:` a command that was run there; `node:` a node of a service; else `jid:` bare JID of the sender, full JID for a private message in a room',
  },
  {
    concept: 'Content',
    field: 'body',
    xmpp: '`<body>`, or a JSON container (XEP-0335); base64 `<payload>` in `<event>` beside a readable `<body>` when XML cannot carry the bytes; a file is uploaded (XEP-0363) and the `<body>` its URL, with XEP-0066 and XEP-0447',
  },
  {
    concept: 'Delivery id',
    field: 'delivery',
    xmpp: 'stanza `id` and XEP-0359 `<origin-id>`, the same on every resend',
  },
  { concept: 'Sender’s id', field: 'id', xmpp: '`<event><id>`, else `<origin-id>`, else stanza `id`' },
  {
    concept: 'Server’s id',
    field: 'origin.stanzaId, dedupeKey',
    xmpp: 'XEP-0359 `<stanza-id>` of the room or our account, when it announces the feature',
  },
  {
    concept: 'Correlation',
    field: 'correlationId',
    xmpp: '`<event><correlation-id>`, readable copy in `<thread>`',
  },
  {
    concept: 'Reply address',
    field: 'replyTo',
    xmpp: '`<event><reply-to>`: `scheme:` and percent-encoded segments joined by `/`; of a third party only from whom `acceptReplyTo` names',
  },
  {
    concept: 'Media type',
    field: 'contentType, contentEncoding',
    xmpp: '`<event><content-type>`, `<content-encoding>`; a message without `<event>` is `text/plain`',
  },
  {
    concept: 'Type, subject',
    field: 'type, subject',
    xmpp: '`<event><type>`, `<subject>`; one to one also `<subject>`, never in a room',
  },
  {
    concept: 'Headers',
    field: 'headers',
    xmpp: '`<event><header name>`, in order; other types than text as JSON with `type="json"`',
  },
  {
    concept: 'Time',
    field: 'time',
    xmpp: '`<event time>` in ms, else XEP-0203 delay of the room or our server, else arrival',
  },
  { concept: 'Expiry', field: 'expiresAt', xmpp: '`<event expires-at>` in ms' },
  { concept: 'Priority, retain', field: 'priority, retain', xmpp: '`<event priority retain>`' },
  { concept: 'Gateways passed', field: 'via', xmpp: '`<event><via>`, one each' },
  { concept: 'Trace', field: 'trace', xmpp: '`<event><traceparent>`, `<tracestate>`' },
  { concept: 'History', field: 'origin.replay', xmpp: 'room message with XEP-0203 delay' },
  {
    concept: 'Kept for later',
    field: 'redelivered, origin.delayed, origin.late',
    xmpp: 'message with XEP-0203 delay of our server, or in an archive (XEP-0313)',
  },
  {
    concept: 'Receipt',
    field: 'kind receipt, type delivered',
    xmpp: 'XEP-0184 `<received>`; `correlationId` is the delivery',
  },
  {
    concept: 'Reaction',
    field: 'kind reaction',
    xmpp: 'XEP-0444 `<reactions>` without a text; `body` is the emojis, `correlationId` the delivery if it is about a message of ours, else the id of the message; sent by `refers.reaction` of a target',
  },
  {
    concept: 'Presence',
    field: 'kind presence, type available or unavailable',
    xmpp: '`<presence>` of a contact or an occupant; `body` is JSON of `<show>`, `<status>`, `<priority>`; `key` is the full JID',
  },
  {
    concept: 'Item of a node',
    field: 'body, contentType, origin.item',
    xmpp: 'XEP-0060 `<item id>`: its payload is our `<event>` with `<json>` (XEP-0335), `<body>` or `<payload>` in it, or of another publisher JSON, text or XML',
  },
  {
    concept: 'Bounce',
    field: 'kind status, type bounced',
    xmpp: 'message of type `error` after the confirmation; `correlationId` is the delivery, which becomes a dead letter',
  },
];
