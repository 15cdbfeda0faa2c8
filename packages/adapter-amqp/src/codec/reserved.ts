/**
 * Headers this adapter writes and reads for fields without an AMQP 0-9-1 property. They never appear among an event's
 * headers, and an event's own headers of these names are not sent.
 */
export const RESERVED = {
  /** Ids of the gateways passed, if more than the publisher in `app-id`: array of strings. */
  via: 'x-magpie-via',
  /** Exact time in ms where `timestamp` (whole seconds) and `message-id` do not tell it. */
  time: 'x-magpie-time',
  /** Exact expiry in ms since the epoch: a broker does not shorten `expiration` while a message waits. */
  expiresAt: 'x-magpie-expires-at',
  subject: 'x-magpie-subject',
  retain: 'x-magpie-retain',
  /** An earlier attempt of this send may have arrived; a publisher cannot set the broker's own flag. */
  redelivered: 'x-magpie-redelivered',
  /** Properties that do not fit into a short string of 255 bytes. */
  id: 'x-magpie-id',
  type: 'x-magpie-type',
  contentType: 'x-magpie-content-type',
  contentEncoding: 'x-magpie-content-encoding',
  /** As RabbitMQ's own protocol conversions name them. */
  correlationId: 'x-correlation-id',
  replyTo: 'x-reply-to',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const;

const own: ReadonlySet<string> = new Set(Object.values(RESERVED));

/**
 * Headers that control the broker or describe an earlier hop: the route decides where a message goes, not its headers.
 */
const hop = /^(?:CC|BCC|x-death|x-first-death-.*|x-last-death-.*)$/;

/** Whether a received header is one of ours, whose value is in a field of the event. */
export const isReserved = (name: string): boolean => own.has(name) || name.startsWith('x-magpie-');

/** Whether a header of an event may be published as it is. */
export const isForwarded = (name: string): boolean => !isReserved(name) && !hop.test(name);
