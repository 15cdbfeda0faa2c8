import { type Clock, errorMessage, type MagpieError, Transient } from '@magpie/contract';
import type { Agent, Dispatcher } from 'undici';
import { withDeadline } from '../cancel.ts';
import { ForbiddenAddress, guardedConnector, type Resolve } from './guarded-connector.ts';

/** What may be fetched. */
export interface FetchRules {
  /** Bytes of the largest file. */
  readonly maxBytes: number;
  /** Media types such as `image/png` or `image/*`; undefined for all. */
  readonly mediaTypes?: readonly string[] | undefined;
  /** Hosts in lower case that may be anywhere, also in a private network. */
  readonly allow: readonly string[];
}

/** A fetched file. */
export interface FetchedFile {
  readonly body: Uint8Array;
  /** As the server says; undefined when it does not. */
  readonly mediaType: string | undefined;
}

/** Why a file was not fetched, as a sentence without the path of its URL. */
export class FetchProblem extends Error {
  override readonly name = 'FetchProblem';
}

const REDIRECTS = 3;
/** For the whole file with all redirections, ms. */
const FETCH_MS = 15_000;

/**
 * Fetches files from addresses that outsiders name: http and https to the public Internet, bounded in bytes, time and redirections,
 * each checked anew. Nothing of ours goes with the question. One per connection; the library is loaded with the first file.
 */
export class FileFetcher {
  readonly #clock: Clock;
  readonly #resolve: Resolve | undefined;
  readonly #agents = new Map<string, Promise<Agent>>();

  /** @param resolve what resolves names; for tests. */
  constructor(clock: Clock, resolve?: Resolve) {
    this.#clock = clock;
    this.#resolve = resolve;
  }

  /**
   * Resolves to the whole file.
   * @throws FetchProblem with the reason; Aborted when the signal fires.
   */
  async fetch(url: string, rules: FetchRules, signal: AbortSignal): Promise<FetchedFile> {
    const late = (): MagpieError => new Transient(`not fetched within ${FETCH_MS} ms`);
    try {
      return await withDeadline(
        { clock: this.#clock, ms: FETCH_MS, signal, what: 'fetching a file', late },
        (limited) => this.#follow(url, rules, limited),
      );
    } catch (error) {
      if (signal.aborted || error instanceof FetchProblem) throw error;
      throw new FetchProblem(reasonOf(error), { cause: error });
    }
  }

  /** Frees everything; what is being fetched fails. */
  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map(async (agent) => (await agent).destroy()));
  }

  async #follow(start: string, rules: FetchRules, signal: AbortSignal): Promise<FetchedFile> {
    const { request } = await import('undici');
    const dispatcher = await this.#agent(rules.allow);
    let url = checkedUrl(start);
    for (let hops = 0; hops <= REDIRECTS; hops += 1) {
      const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'Magpie' };
      const response = await request(url, { dispatcher, signal, headers, reset: true });
      // A body that is not read to its end fails with an error of its own, which would end the process.
      response.body.on('error', () => undefined);
      const { location } = response.headers;
      if (response.statusCode < 300 || response.statusCode >= 400 || typeof location !== 'string')
        return await taken(response, rules);
      response.body.destroy();
      const next = checkedUrl(new URL(location, url).href);
      if (url.protocol === 'https:' && next.protocol !== 'https:')
        throw new FetchProblem(`${url.host} leads from https to http`);
      url = next;
    }
    throw new FetchProblem(`more than ${REDIRECTS} redirections`);
  }

  /** One for each set of allowed hosts: a connection that is open may be used by those only who may open it. */
  #agent(allow: readonly string[]): Promise<Agent> {
    const key = allow.join(' ');
    const known = this.#agents.get(key) ?? this.#open(new Set(allow));
    this.#agents.set(key, known);
    return known;
  }

  async #open(allow: ReadonlySet<string>): Promise<Agent> {
    const { Agent, buildConnector } = await import('undici');
    return new Agent({ connect: guardedConnector(buildConnector, allow, this.#resolve) });
  }
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new FetchProblem('expected an address of http or https');
  if (url.username !== '' || url.password !== '') throw new FetchProblem('the address has a login in it');
  return url;
}

async function taken({ statusCode, headers, body }: Dispatcher.ResponseData, rules: FetchRules): Promise<FetchedFile> {
  try {
    if (statusCode !== 200) throw new FetchProblem(`HTTP ${statusCode}`);
    const mediaType = textOf(headers['content-type'])?.split(';', 1)[0]?.trim().toLowerCase();
    if (rules.mediaTypes && !rules.mediaTypes.some((wanted) => isOf(mediaType ?? '', wanted)))
      throw new FetchProblem(`the media type is ${mediaType ?? 'not stated'}, expected ${rules.mediaTypes.join(', ')}`);
    const encoding = textOf(headers['content-encoding']);
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
      throw new FetchProblem('it is compressed, although that was not asked for');
    if (Number(textOf(headers['content-length'])) > rules.maxBytes) throw tooLarge(rules.maxBytes);
    return { body: await bytesOf(body, rules.maxBytes), mediaType };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** What a server says about the length proves nothing: the bytes are counted. */
async function bytesOf(body: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooLarge = (most: number): FetchProblem => new FetchProblem(`larger than ${most} bytes`);

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

const isOf = (mediaType: string, wanted: string): boolean =>
  wanted.endsWith('/*') ? mediaType.startsWith(wanted.slice(0, -1)) : mediaType === wanted;

/** The sentence of the guard stands behind those of the library. */
function reasonOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ForbiddenAddress) return cause.message;
  return errorMessage(error) || 'no reason given';
}
