import { type AdapterContext, TooLarge } from '@magpie/contract';
import { z } from 'zod';
import { DEFAULT_STANZA } from '../config.ts';

/** How long a limit that a server has shown by refusing is believed, ms: its operator may have raised it since. */
const BELIEVED_MS = 7 * 24 * 60 * 60 * 1000;

const KEY = 'stanza limit';
const learntSchema = z.object({ bytes: z.number(), at: z.number(), configured: z.number().optional() });

/** What the limit is made of. */
export interface StanzaLimitOptions {
  /** `maxStanzaBytes` as far as it is configured. */
  readonly configured: number | undefined;
  readonly context: Pick<AdapterContext, 'clock' | 'store' | 'detail' | 'logger'>;
}

/**
 * How large a stanza may be: as configured, as the server announces (XEP-0478), and smaller than the smallest that it has refused. What
 * was learnt from a refusal, which costs a link, is kept in the log for a week, or until another limit is configured. One per
 * connection.
 */
export class StanzaLimit {
  readonly #options: StanzaLimitOptions;
  /** Size of the smallest stanza that the server refused. */
  #refused = Number.POSITIVE_INFINITY;
  #announced: number | undefined;
  #loaded: Promise<void> | undefined;

  constructor(options: StanzaLimitOptions) {
    this.#options = options;
  }

  /** Takes up what a former process has learnt. Called at every connect; reads once. */
  load(): Promise<void> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  /** What the server says at a login; undefined when it says nothing. */
  announced(bytes: number | undefined): void {
    this.#announced = bytes;
  }

  /** The server ended the stream over a stanza of this size. */
  refused(bytes: number): void {
    if (bytes >= this.#refused) return;
    this.#refused = bytes;
    this.#tell();
    const { context, configured } = this.#options;
    const learnt = { bytes, at: context.clock.now(), configured };
    context.store.put(new Map([[KEY, JSON.stringify(learnt)]])).catch((error: unknown) => {
      context.logger.debug({ error: String(error) }, 'the size that the server refuses could not be kept');
    });
  }

  /** Bytes of the largest stanza that may be sent. */
  get largest(): number {
    return Math.min(this.#permitted, this.#refused - 1);
  }

  /** Says why a stanza of this size is not sent. @param also what else could not be done. */
  refusal(bytes: number, also: string): TooLarge {
    const advice = 'send a smaller message';
    const { configured } = this.#options;
    if (bytes >= this.#refused)
      return new TooLarge(
        `a stanza of ${bytes} bytes; the server refused one of ${this.#refused} bytes: ${advice}${also}`,
      );
    if (this.#announced !== undefined && bytes > this.#announced)
      return new TooLarge(
        `a stanza of ${bytes} bytes, more than the server takes by its own word (${this.#announced}): ${advice}${also}`,
      );
    const limit = configured ?? this.#permitted;
    return new TooLarge(
      `a stanza of ${bytes} bytes, more than maxStanzaBytes (${limit}): ${advice}, or raise maxStanzaBytes if the server permits it${also}`,
    );
  }

  get #permitted(): number {
    const announced = this.#announced ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#options.configured ?? this.#announced ?? DEFAULT_STANZA, announced);
  }

  #tell(): void {
    this.#options.context.detail(
      'stanza size',
      `the server refuses ${this.#refused} bytes: set maxStanzaBytes to what it permits`,
      'trouble',
    );
  }

  async #read(): Promise<void> {
    const { context, configured } = this.#options;
    const kept = await context.store.entries().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    const learnt = learntSchema.safeParse(JSON.parse(kept.get(KEY) ?? 'null')).data;
    if (!learnt || learnt.configured !== configured || context.clock.now() - learnt.at > BELIEVED_MS) return;
    this.#refused = Math.min(this.#refused, learnt.bytes);
    this.#tell();
  }
}
