import type { EventLog } from '@magpie/bus';
import type { StateWriter } from '../log-access/state-writer.ts';

/** Under which name pending requests are kept beside the values of connections. No connection has it. */
const STORE = '$replies';

/** Requests that may wait for their replies at a time: whoever asks decides how many there are. */
export const MOST_PENDING = 10_000;

/** A request whose reply is waited for. */
export interface Pending {
  /** The delivery of the request. */
  readonly id: string;
  /** The event that it was made from. */
  readonly ref: string;
  readonly consumer: string;
  /** The correlation id that the request carries. */
  readonly correlationId: string;
  /** Where its reply is sent, as segments; none when only the correlation id can tell. */
  readonly replyTo?: readonly string[];
  /** Where the request goes, as text. */
  readonly place?: string;
  /** When waiting ends, ms since the epoch. */
  readonly deadline: number;
}

/** The pending requests, in memory and as values of the log. */
export class PendingRequests {
  readonly #log: Pick<EventLog, 'values'>;
  readonly #writer: Pick<StateWriter, 'commit'>;
  /** In the order in which they were made. */
  readonly #byId = new Map<string, Pending>();
  readonly #byCorrelation = new Map<string, Pending>();
  /** Not yet written. */
  #fresh: Pending[] = [];

  constructor(log: Pick<EventLog, 'values'>, writer: Pick<StateWriter, 'commit'>) {
    this.#log = log;
    this.#writer = writer;
  }

  /** Reads what an earlier process has left, oldest first. Called once, at start. */
  async open(): Promise<readonly Pending[]> {
    const values = await this.#log.values(STORE);
    const left = [...values].map(([id, value]): Pending => ({ ...JSON.parse(value), id }));
    left.sort((a, b) => (a.ref < b.ref ? -1 : 1));
    for (const pending of left) this.#keep(pending);
    return left;
  }

  /** Whether another request would be one too many. */
  get isFull(): boolean {
    return this.#byId.size >= MOST_PENDING;
  }

  /** Adds a request that is not known. Durable after `write`. */
  add(pending: Pending): void {
    this.#keep(pending);
    this.#fresh.push(pending);
  }

  /** Makes what was added durable. */
  async write(): Promise<void> {
    if (this.#fresh.length === 0) return;
    const values = this.#fresh.map(({ id, ...rest }) => ({ connection: STORE, key: id, value: JSON.stringify(rest) }));
    this.#fresh = [];
    await this.#writer.commit({ values });
  }

  get(id: string): Pending | undefined {
    return this.#byId.get(id);
  }

  byCorrelation(correlationId: string): Pending | undefined {
    return this.#byCorrelation.get(correlationId);
  }

  all(): Iterable<Pending> {
    return this.#byId.values();
  }

  /** Nobody waits for its reply any more: later ones are late. It stays in the log until `forget`. */
  close(pending: Pending): void {
    this.#byId.delete(pending.id);
    this.#byCorrelation.delete(pending.correlationId);
  }

  /** Removes a closed request from the log; resolves when that is durable. */
  async forget({ id }: Pending): Promise<void> {
    await this.write();
    await this.#writer.commit({ values: [{ connection: STORE, key: id, value: undefined }] });
  }

  #keep(pending: Pending): void {
    this.#byId.set(pending.id, pending);
    this.#byCorrelation.set(pending.correlationId, pending);
  }
}
