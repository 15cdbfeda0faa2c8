import { FetchProblem, type FetchRules, FileFetcher } from '@magpie/adapter-kit';
import { type Clock, matchesPattern, type ReceivedEvent, type SourceRequest } from '@magpie/contract';
import type { SharedFile } from '../codec/shared-file.ts';
import type { XmppSource } from '../route-keys.ts';

/** Files fetched at a time, and those that wait for that: what comes on top is stored without its file. */
const AT_A_TIME = 4;
const MOST_WAITING = 32;

/** The file that an event links to, when a source wants it fetched: with the rules of the first that does. */
export function wantedFile(
  { origin, address, kind }: ReceivedEvent,
  sources: readonly SourceRequest[],
): { readonly file: SharedFile; readonly rules: FetchRules } | undefined {
  if (origin.file === undefined || kind !== 'message' || origin.replay === true) return undefined;
  const source = sources.find(({ pattern, options }) => rulesOf(options) && matchesPattern(pattern, address));
  const rules = source && rulesOf(source.options);
  // The origin of an event of ours is what `originOf` has made.
  return rules && { file: origin.file as SharedFile, rules };
}

const rulesOf = (options: unknown): FetchRules | undefined => (options as XmppSource | undefined)?.fetch;

/** Fetches what received messages link to. One per connection. */
export class LinkedFiles {
  readonly #fetcher: FileFetcher;
  #running = 0;
  readonly #waiting: Array<() => void> = [];

  constructor(clock: Clock) {
    this.#fetcher = new FileFetcher(clock);
  }

  /**
   * The event with the file as its body; without it, and with the reason in `origin.file.problem`, when that cannot be had. Rejects
   * with `Aborted` only.
   */
  async into(
    event: ReceivedEvent,
    { file, rules }: { readonly file: SharedFile; readonly rules: FetchRules },
    signal: AbortSignal,
  ): Promise<ReceivedEvent> {
    try {
      const { body, mediaType = file.mediaType } = await this.#atATime(() =>
        this.#fetcher.fetch(file.url, rules, signal),
      );
      const { contentType: _, ...rest } = event;
      return { ...rest, body, ...(mediaType === undefined ? {} : { contentType: mediaType }) };
    } catch (error) {
      if (!(error instanceof FetchProblem)) throw error;
      return { ...event, origin: { ...event.origin, file: { ...file, problem: error.message } } };
    }
  }

  /** Frees everything. */
  close(): Promise<void> {
    return this.#fetcher.close();
  }

  async #atATime<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_A_TIME) {
      if (this.#waiting.length >= MOST_WAITING) throw new FetchProblem('too many files at a time');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
