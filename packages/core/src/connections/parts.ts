import { type Clock, createQuiet, type Logger, type Quiet } from '@magpie/contract';

/** The parts of one connection as its adapter reports them: rooms, topics, queues, links. */
export class Parts {
  readonly #connection: string;
  readonly #logger: Logger;
  readonly #quiet: Quiet;
  readonly #states = new Map<string, string>();
  readonly #troubled = new Set<string>();

  constructor(connection: string, logger: Logger, clock: Pick<Clock, 'monotonic'>) {
    this.#connection = connection;
    this.#logger = logger;
    this.#quiet = createQuiet(clock);
  }

  /**
   * Notes the state of a part; undefined: there is nothing to tell. `isTrouble`: it does not work as configured, which is a line in
   * the log, once a minute at most, and an alarm while it lasts.
   */
  set(part: string, state: string | undefined, isTrouble: boolean): void {
    const before = this.#states.get(part);
    const wasTrouble = this.#troubled.delete(part);
    if (state === undefined) this.#states.delete(part);
    else this.#states.set(part, state);
    if (isTrouble && state !== undefined) this.#troubled.add(part);
    if (isTrouble && state !== undefined && !(wasTrouble && before === state)) this.#say(part, state);
  }

  /** States by part. */
  states(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#states);
  }

  /** Those that do not work as configured. */
  troubled(): readonly string[] {
    return [...this.#troubled];
  }

  #say(part: string, state: string): void {
    const fields = { connection: this.#connection, place: part, reason: state };
    const level = this.#quiet.due(part) === undefined ? 'debug' : 'warn';
    this.#logger[level](fields, `${part}: ${state}`);
  }
}
