import type { AdapterContext } from '@magpie/contract';
import type { z } from 'zod';

/** Pause between two writes of the same value, ms. One that lags makes repeats only. */
const PAUSE_MS = 200;

/** Values by name that outlive the process, in the log: written soon after a change, and only the newest. One per prefix and connection. */
export class Kept<T> {
  readonly #context: Pick<AdapterContext, 'store' | 'clock' | 'logger'>;
  readonly #prefix: string;
  readonly #schema: z.ZodType<T>;
  readonly #values = new Map<string, T | undefined>();
  /** Names whose value is being written; true when there is a newer one. */
  readonly #writing = new Map<string, boolean>();
  #loaded: Promise<void> | undefined;

  /** @param prefix what its keys in the store begin with. */
  constructor(context: Pick<AdapterContext, 'store' | 'clock' | 'logger'>, prefix: string, schema: z.ZodType<T>) {
    this.#context = context;
    this.#prefix = prefix;
    this.#schema = schema;
  }

  /** Takes up what a former process kept. Called at every connect; reads once. */
  load(): Promise<void> {
    this.#loaded ??= this.#read().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  get(name: string): T | undefined {
    return this.#values.get(name);
  }

  /** The names that have a value. */
  names(): string[] {
    return [...this.#values].flatMap(([name, value]) => (value === undefined ? [] : [name]));
  }

  /** Changes a value, or forgets it. Returns at once. */
  set(name: string, value: T | undefined): void {
    this.#values.set(name, value);
    if (this.#writing.has(name)) this.#writing.set(name, true);
    else void this.#write(name);
  }

  async #write(name: string): Promise<void> {
    const { store, clock, logger } = this.#context;
    this.#writing.set(name, false);
    try {
      const value = this.#values.get(name);
      await store.put(new Map([[this.#prefix + name, value === undefined ? undefined : JSON.stringify(value)]]));
    } catch (error) {
      logger.debug({ error: String(error), place: name }, 'how far a place has been read could not be kept');
    }
    clock.timeout(PAUSE_MS, () => {
      const isStale = this.#writing.get(name);
      this.#writing.delete(name);
      if (isStale) void this.#write(name);
    });
  }

  async #read(): Promise<void> {
    for (const [key, value] of await this.#context.store.entries())
      if (key.startsWith(this.#prefix))
        this.#values.set(key.slice(this.#prefix.length), this.#schema.parse(JSON.parse(value)));
  }
}
