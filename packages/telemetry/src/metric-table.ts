/** One metric: name, meaning and labels. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /**
   * Never a topic, an address or a client id: values that outsiders choose are unbounded. A label means the same in
   * every metric, see `LABELS`.
   */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Meaning of each label. It is the same in every metric, so that metrics can be joined. */
export const LABELS: Readonly<Record<string, string>> = {
  version: 'Version of the gateway.',
  node: 'Version of Node.js.',
  connection: 'Name of a connection.',
  route: 'Id of a route.',
  target: 'A target as `route/target`, as in `GET /v1/targets` and in log lines.',
  result: 'Outcome; the meaning of the metric lists the values.',
  reason: 'Reason of the dead letter.',
  method: 'HTTP method.',
  path: 'Pattern of the path of a request, such as `/v1/messages/:ref`, never the path itself; `none` for an unknown one.',
  status: 'HTTP status.',
  counter: 'Name of an adapter’s counter, listed on the protocol pages.',
};

/** Every metric of the gateway, by the name of its handle in code. Documentation and dashboards are made from this table. */
export const METRICS = {
  buildInfo: {
    name: 'magpie_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say what is running.',
    labels: ['version', 'node'],
  },
  connectionState: {
    name: 'magpie_connection_state',
    type: 'gauge',
    help: '1 while the connection is up, that is, had a recent successful round trip; otherwise 0.',
    labels: ['connection'],
  },
  connectionReconnects: {
    name: 'magpie_connection_reconnects_total',
    type: 'counter',
    help: 'Attempts to reconnect after a connection was lost or refused.',
    labels: ['connection'],
  },
  eventsReceived: {
    name: 'magpie_events_received_total',
    type: 'counter',
    help: 'Received events, by result: stored, duplicate, mismatch, refused, unavailable or bypassed.',
    labels: ['connection', 'result'],
  },
  eventsStored: {
    name: 'magpie_events_stored_total',
    type: 'counter',
    help: 'Events stored durably in the log.',
    labels: [],
  },
  deliveries: {
    name: 'magpie_deliveries_total',
    type: 'counter',
    help: 'Delivery attempts and outcomes, by result: confirmed, refused, dead, bounced, expired, dropped, or dropped by the route as limited (`rate`), unchanged (`onlyOnChange`) or quiet (`quiet`).',
    labels: ['route', 'target', 'result'],
  },
  deliverySeconds: {
    name: 'magpie_delivery_seconds',
    type: 'histogram',
    help: 'Time from handing a message to its connection until the confirmation.',
    labels: ['connection'],
    buckets: SECONDS,
  },
  commitSeconds: {
    name: 'magpie_commit_seconds',
    type: 'histogram',
    help: 'Duration of one commit to the log, including fsync.',
    labels: [],
    buckets: SECONDS,
  },
  commitEvents: {
    name: 'magpie_commit_events',
    type: 'histogram',
    help: 'Events written together in one commit.',
    labels: [],
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500],
  },
  backlog: {
    name: 'magpie_backlog_deliveries',
    type: 'gauge',
    help: 'Open deliveries of a target, including those in flight and held ones; more may wait in the log, see magpie_target_lagging.',
    labels: ['target'],
  },
  targetSuspended: {
    name: 'magpie_target_suspended',
    type: 'gauge',
    help: '1 while the target is suspended and only probed; otherwise 0.',
    labels: ['target'],
  },
  targetLagging: {
    name: 'magpie_target_lagging',
    type: 'gauge',
    help: '1 while the target is so far behind that magpie_target_backlog does not count everything; otherwise 0.',
    labels: ['target'],
  },
  targetBlocked: {
    name: 'magpie_target_blocked_deliveries',
    type: 'gauge',
    help: 'Deliveries that ran out of attempts and wait for an operator.',
    labels: ['target'],
  },
  deadLettersKept: {
    name: 'magpie_dead_letters',
    type: 'gauge',
    help: 'Dead letters kept now; more than gateway.deadLetters.max raise an alarm.',
    labels: [],
  },
  deadLetters: {
    name: 'magpie_dead_letters_total',
    type: 'counter',
    help: 'Dead letters written, by reason.',
    labels: ['reason'],
  },
  streamSubscribers: {
    name: 'magpie_stream_subscribers',
    type: 'gauge',
    help: 'Apps that follow live events.',
    labels: [],
  },
  httpRequests: {
    name: 'magpie_http_requests_total',
    type: 'counter',
    help: 'Requests to the HTTP API.',
    labels: ['method', 'path', 'status'],
  },
  httpOverload: {
    name: 'magpie_http_overload_total',
    type: 'counter',
    help: 'Requests answered with 503 before their body was read, because too much was waiting to be stored.',
    labels: [],
  },
  adapter: {
    name: 'magpie_adapter_total',
    type: 'counter',
    help: 'Counters of an adapter, such as messages dropped at a limit; the protocol pages list them.',
    labels: ['connection', 'counter'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The table as a type, from which the methods of `Metrics` follow. */
export type MetricTable = typeof METRICS;
