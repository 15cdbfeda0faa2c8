/** Where the generator's messages go in. JSON, because the driver is a process of its own. */
export type SourceSpecification =
  | {
      readonly kind: 'mqtt';
      readonly port: number;
      readonly qos: 0 | 1;
      /** Used in turn; all of the same length. */
      readonly topics: readonly string[];
      readonly version?: 4 | 5;
      readonly user?: string;
      readonly password?: string;
    }
  | {
      readonly kind: 'amqp';
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly exchange: string;
      readonly routingKey: string;
    }
  | {
      readonly kind: 'http';
      readonly port: number;
      readonly path: string;
      readonly connections: number;
      /** Text around the body of each message. */
      readonly before: string;
      readonly after: string;
    }
  | {
      readonly kind: 'xmpp';
      readonly port: number;
      readonly user: string;
      readonly password: string;
      /** A room, which is entered. */
      readonly room: string;
    };

/** Where they come out. */
export type SinkSpecification =
  | {
      readonly kind: 'mqtt';
      readonly port: number;
      readonly qos: 0 | 1;
      readonly filter: string;
      readonly version?: 4 | 5;
      readonly user?: string;
      readonly password?: string;
    }
  | {
      readonly kind: 'amqp';
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly queue: string;
      /** Acknowledge many at once instead of none. */
      readonly acknowledge?: boolean;
    }
  /** The answers of an HTTP source: a message has arrived when it is accepted. */
  | { readonly kind: 'answers' }
  | {
      readonly kind: 'websocket';
      readonly port: number;
      readonly path: string;
      readonly subscribers: number;
      /** Subprotocol and the first frame, for servers that want them, and what their answer contains. */
      readonly protocol?: string;
      readonly hello?: string;
      readonly greeting?: string;
    }
  | {
      readonly kind: 'xmpp';
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly room: string;
    };

/** Both ends of what is measured, and the load. */
export interface LoadSpecification {
  readonly source: SourceSpecification;
  readonly sink: SinkSpecification;
  /** Bytes of a body. */
  readonly body: number;
  /** How many arrivals make one message delivered: the number of subscribers. */
  readonly copies: number;
  /** WebSockets that are open beside it; what they get is not counted. */
  readonly bystanders?: Extract<SinkSpecification, { kind: 'websocket' }>;
}

/** A run as fast as possible with at most `window` messages on their way. */
export interface ThroughputOrder {
  readonly window: number;
  /** Least number of messages sent at a time, as long as others are on their way. */
  readonly together: number;
  /** When nothing has arrived for so long, what is on its way counts as lost. */
  readonly stallMs: number;
  readonly warmMs: number;
  readonly ms: number;
  /** Processes whose CPU time is taken over exactly the measured time. */
  readonly pids: Readonly<Record<string, number>>;
}

/** A run at a steady rate. */
export interface LatencyOrder {
  /** Messages per second. */
  readonly rate: number;
  readonly warmMs: number;
  readonly ms: number;
}

/** What the generator itself needed. */
export interface GeneratorLoad {
  /** CPU seconds per second. */
  readonly cores: number;
  /** Share of time its event loop was not waiting. */
  readonly busy: number;
}

/** What a run as fast as possible gave. */
export interface ThroughputResult {
  readonly seconds: number;
  /** Messages of which every copy arrived. */
  readonly delivered: number;
  readonly duplicates: number;
  readonly lost: number;
  /** Refused by the other side, such as HTTP statuses of 400 and more. */
  readonly refused: number;
  /** CPU seconds by process, over the measured time. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Resident memory in MB at the end. */
  readonly memory: Readonly<Record<string, number>>;
  /** CPU seconds of everything on the machine. */
  readonly machine: number;
  readonly generator: GeneratorLoad;
}

/** What a run at a steady rate gave. */
export interface LatencyResult {
  /** Milliseconds from each write to the last copy. */
  readonly milliseconds: readonly number[];
  readonly sent: number;
  readonly lost: number;
  /** How late the generator itself was, ms: 99th percentile. */
  readonly late: number;
  readonly generator: GeneratorLoad;
}

/** Waits for messages that are already on their way. */
export interface GatherOrder {
  /** Processes whose CPU time is taken until the last one has arrived. */
  readonly pids: Readonly<Record<string, number>>;
  /** When nothing has arrived for so long, the others are given up. */
  readonly stallMs: number;
}

/** What has arrived. */
export interface GatherResult extends Pick<ThroughputResult, 'seconds' | 'cpu' | 'memory' | 'machine' | 'generator'> {
  /** How many had arrived before the wait began. */
  readonly before: number;
  /** How many have arrived in all, each counted once. */
  readonly gathered: number;
  readonly duplicates: number;
}

/** What the driver is asked, and what it answers. */
export interface DriverCalls {
  /** Opens a sink for messages that this driver does not send. */
  gather: {
    readonly order: { readonly id: string; readonly sink: SinkSpecification; readonly count: number };
    readonly result: null;
  };
  gathered: { readonly order: { readonly id: string } & GatherOrder; readonly result: GatherResult };
  open: { readonly order: { readonly id: string; readonly load: LoadSpecification }; readonly result: null };
  throughput: { readonly order: { readonly id: string } & ThroughputOrder; readonly result: ThroughputResult };
  latency: { readonly order: { readonly id: string } & LatencyOrder; readonly result: LatencyResult };
  close: { readonly order: { readonly id: string }; readonly result: null };
}
