/** Every field a log line may have besides `level`, `time` and `msg`, with its meaning. Never a body, never a secret. */
export const LOG_FIELDS = {
  gateway: 'Id of the gateway.',
  connection: 'Name of the connection.',
  place: 'The part of a connection it is about, such as a topic, a queue or a room.',
  route: 'Id of the route.',
  target: 'The target as `route/target`.',
  ref: 'Ref of the event.',
  position: 'Place in the event log.',
  id: 'Id of a dead letter.',
  error: 'Class or code of an error; the table of error classes explains it.',
  reason: 'Why, in words.',
  attempt: 'Number of the attempt, from 1.',
  ms: 'How long it took, milliseconds.',
  state: 'The state entered.',
  count: 'How many.',
  bytes: 'How much, bytes.',
  url: 'Where, without credentials.',
  signal: 'The signal received.',
  client: 'Network of an API client: its address, or the /64 of an IPv6 address.',
  method: 'HTTP method.',
  status: 'HTTP status.',
  requestId: 'Id of the HTTP request, as in the response header `x-request-id`.',
} as const satisfies Record<string, string>;

/** Name of a field that a log line may have. */
export type LogField = keyof typeof LOG_FIELDS;

/** The fields of a log line. A field that is not in {@link LOG_FIELDS} does not compile. */
export type LogFields = Readonly<Partial<Record<LogField, string | number | boolean>>>;
