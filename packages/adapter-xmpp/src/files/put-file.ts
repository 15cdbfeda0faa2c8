import { loadTls, type TlsSettings, withDeadline } from '@magpie/adapter-kit';
import { type Clock, errorMessage, type MagpieError, Throttled, TooLarge, Transient } from '@magpie/contract';
import type { Agent } from 'undici';
import type { Slot } from './upload-service.ts';

/** Longest time for one file, ms: what is to follow it to the same place waits. */
const PUT_MS = 120_000;
/** Pause after a service that is too busy, ms. */
const BUSY_MS = 10_000;
/** Files that go to one host at a time. */
const AT_A_TIME = 4;

/** Puts files where a service has given them a place. One per connection; the library is loaded with the first file. */
export class FilePutter {
  readonly #clock: Clock;
  readonly #tls: TlsSettings;
  #agent: Promise<Agent> | undefined;

  constructor(clock: Clock, tls: TlsSettings) {
    this.#clock = clock;
    this.#tls = tls;
  }

  /**
   * Resolves when the service has the whole file. A redirection is not followed.
   * @throws TooLarge, Throttled, Transient, Aborted.
   */
  async put(slot: Slot, body: Uint8Array, mediaType: string, signal: AbortSignal): Promise<void> {
    const late = (): MagpieError => new Transient(`the upload took longer than ${PUT_MS} ms`);
    const status = await withDeadline(
      { clock: this.#clock, ms: PUT_MS, signal, what: 'the upload', late },
      async (limited) => this.#request(slot, body, mediaType, limited),
    );
    if (status === 200 || status === 201 || status === 204) return;
    const sentence = `the upload service answered HTTP ${status} to a file of ${body.byteLength} bytes`;
    if (status === 413) throw new TooLarge(sentence);
    if (status === 429 || status === 503) throw new Throttled(sentence, BUSY_MS).concerning('place');
    throw new Transient(sentence);
  }

  /** Frees the connections. */
  async close(): Promise<void> {
    const agent = await this.#agent;
    this.#agent = undefined;
    await agent?.destroy();
  }

  async #request(slot: Slot, body: Uint8Array, mediaType: string, signal: AbortSignal): Promise<number> {
    const { request } = await import('undici');
    this.#agent ??= this.#open();
    const dispatcher = await this.#agent;
    const headers = { ...slot.headers, 'content-type': mediaType };
    try {
      const response = await request(slot.put, { method: 'PUT', body, headers, dispatcher, signal });
      response.body.on('error', () => undefined); // What dump throws is enough.
      await response.body.dump({ limit: 65_536 });
      return response.statusCode;
    } catch (error) {
      if (signal.aborted) throw error;
      const host = new URL(slot.put).host;
      throw new Transient(`the upload to ${host} failed: ${errorMessage(error)}`, { cause: error });
    }
  }

  async #open(): Promise<Agent> {
    const { Agent } = await import('undici');
    const { secureContext, rejectUnauthorized } = await loadTls(this.#tls, '');
    return new Agent({ connections: AT_A_TIME, connect: { secureContext, rejectUnauthorized } });
  }
}
