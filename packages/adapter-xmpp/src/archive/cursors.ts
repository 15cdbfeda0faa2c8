import type { AdapterContext } from '@magpie/contract';
import { z } from 'zod';

/** A place in an archive. */
export interface Point {
  /** Left out: the archive was empty. */
  readonly id?: string | undefined;
  /** When the message was archived, ms since the epoch. */
  readonly stamp: number;
}

/** Up to where an archive is in our log. */
export interface Cursor extends Point {
  /** The last id read in the archive itself: that of a live message may be forged. */
  readonly read?: string | undefined;
}

const KEY = 'archive ';
/** Pause between two writes of the same cursor, ms. One that lags makes repeats, which the log drops. */
const PAUSE_MS = 200;

const cursorSchema = z.object({ id: z.string().optional(), stamp: z.number(), read: z.string().optional() });

/** The cursors of a connection's archives, kept in the log. One per connection. */
export class Cursors {
  readonly #context: Pick<AdapterContext, 'store' | 'clock' | 'logger'>;
  readonly #kept = new Map<string, Cursor | undefined>();
  /** Archives whose cursor is being written; true when there is a newer one. */
  readonly #writing = new Map<string, boolean>();
  #loaded: Promise<void> | undefined;

  constructor(context: Pick<AdapterContext, 'store' | 'clock' | 'logger'>) {
    this.#context = context;
  }

  /** Takes up what a former process kept. Called at every connect; reads once. */
  load(): Promise<void> {
    this.#loaded ??= this.#read().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  get(archive: string): Cursor | undefined {
    return this.#kept.get(archive);
  }

  /** Moves a cursor, or forgets it. Returns at once; written soon after, and only the newest. */
  set(archive: string, cursor: Cursor | undefined): void {
    this.#kept.set(archive, cursor);
    if (this.#writing.has(archive)) this.#writing.set(archive, true);
    else void this.#write(archive);
  }

  async #write(archive: string): Promise<void> {
    const { store, clock, logger } = this.#context;
    this.#writing.set(archive, false);
    try {
      const cursor = this.#kept.get(archive);
      await store.put(new Map([[KEY + archive, cursor && JSON.stringify(cursor)]]));
    } catch (error) {
      logger.debug({ error: String(error) }, 'the place in an archive could not be kept');
    }
    clock.timeout(PAUSE_MS, () => {
      const isStale = this.#writing.get(archive);
      this.#writing.delete(archive);
      if (isStale) void this.#write(archive);
    });
  }

  async #read(): Promise<void> {
    for (const [key, value] of await this.#context.store.entries())
      if (key.startsWith(KEY)) this.#kept.set(key.slice(KEY.length), cursorSchema.parse(JSON.parse(value)));
  }
}
