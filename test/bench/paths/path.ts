import type { LoadSpecification } from '../driver/specification.ts';
import type { BrokerRole } from '../world/brokers.ts';

/** Where a contender works: names of its own, at brokers it shares with the others. */
export interface Site {
  /** Begins every topic, queue and room of this contender on this path. */
  readonly name: string;
  /** Bytes of a body. */
  readonly body: number;
  /** Plain port of a broker. Throws when the path does not need it. */
  port(role: BrokerRole): number;
  /** URL with a login where the broker wants one. */
  url(role: BrokerRole): string;
  /** Certificate authority of a broker. */
  ca(role: BrokerRole): string;
}

/** A contender that runs. */
export interface Running {
  /** Its own process. */
  readonly pid: number;
  /** Where it listens, if it does. */
  readonly port?: number;
  /** What a reader has to know about this run. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
}

/** Both ends of a path for one contender, and who is connected beside them. */
export type Ends = Pick<LoadSpecification, 'source' | 'sink' | 'bystanders'>;

/** Somebody who carries messages from one end of a path to the other. */
export interface Contender {
  readonly name: string;
  /** What it promises. */
  readonly guarantee: string;
  /** Name of its process in the figures. */
  readonly process: string;
  /** Starts it; resolves when it is ready. Rejects with one sentence, without subject, when it cannot be. */
  start(site: Site): Promise<Running>;
  /** Its ends, where they are not those of the path. */
  readonly ends?: (site: Site, running: Running) => Ends;
}

/** One path of the benchmark, as a record: add one to `paths/index.ts` and it runs. */
export interface BenchPath {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  readonly needs: readonly BrokerRole[];
  readonly body: number;
  /** Messages on their way in a run as fast as possible. */
  readonly window: number;
  /** Least number of messages sent at a time, as long as others are on their way. Default a sixteenth of the window. */
  readonly together?: number;
  /** On paths that may lose messages: when what is on its way counts as lost, ms. */
  readonly stallMs?: number;
  /** Messages per second in a run for latencies. */
  readonly rate: number;
  /** Subscribers. */
  readonly copies: number;
  ends(site: Site, running: Running): Ends;
  /** In the order in which they take turns. */
  readonly contenders: readonly Contender[];
  /** Others that take part with `--peers`. */
  readonly peers: readonly Contender[];
  /** The contender that ratios refer to. */
  readonly base: string;
}

/** The usual load. */
export const LOAD = { body: 256, window: 1000, rate: 1000, copies: 1 } as const;

/** The load of a path at a contender. */
export const loadOf = (path: BenchPath, contender: Contender, site: Site, running: Running): LoadSpecification => ({
  ...(contender.ends ?? path.ends)(site, running),
  body: path.body,
  copies: path.copies,
});
