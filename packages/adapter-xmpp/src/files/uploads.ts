import type { AdapterContext, OutgoingEvent } from '@magpie/contract';
import { type SharedFile, webUrl } from '../codec/shared-file.ts';
import type { XmppConfig } from '../config.ts';
import type { Link } from '../link/link.ts';
import { fileFacts } from './file-facts.ts';
import { FilePutter } from './put-file.ts';
import { findUploadService, NoUploads, requestSlot, type UploadService } from './upload-service.ts';

/** Dependencies of the uploads of a connection. */
export interface UploadsOptions {
  readonly config: Pick<XmppConfig, 'uploadService' | 'tls'>;
  /** Domain of the server whose services are asked; undefined for a component, whose server is not known by name. */
  readonly domain: string | undefined;
  readonly context: Pick<AdapterContext, 'clock' | 'store' | 'detail' | 'logger'>;
}

/** Files that are remembered until their messages are confirmed; more wait at a time only in an outage. */
const MOST_REMEMBERED = 1_000;
const KEY = 'uploaded ';

/**
 * Files on their way to the upload service of the server (XEP-0363). What is there already is not uploaded again when its message
 * has to be sent again, also after a restart: a service counts every file against a quota. One per connection.
 */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #putter: FilePutter;
  readonly #there = new Map<string, SharedFile>();
  #service: { readonly link: Link; readonly found: Promise<UploadService | undefined> } | undefined;
  #loaded: Promise<void> | undefined;

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#putter = new FilePutter(options.context.clock, options.config.tls);
  }

  /** Takes up what a former process had uploaded. Called at every connect; reads once. */
  load(): Promise<void> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  /**
   * Uploads the body of a delivery, unless it is there already. `NoUploads` when nobody takes files from us.
   * @throws TooLarge with the limit of the service, Throttled, Transient, NotConnected, Aborted.
   */
  async upload(link: Link, event: OutgoingEvent, signal: AbortSignal): Promise<SharedFile | NoUploads> {
    const known = this.#there.get(event.delivery);
    if (known) return known;
    const service = await this.#find(link);
    if (!service) return new NoUploads('the server has no upload service (XEP-0363)');
    const { tls } = this.#options.config;
    const { name, mediaType } = fileFacts(event);
    const size = event.body.byteLength;
    const slot = await requestSlot(link, service, { name, mediaType, size }, !tls.required, signal);
    if (slot instanceof NoUploads) return slot;
    await this.#putter.put(slot, event.body, mediaType, signal);
    const file: SharedFile = { url: slot.get, mediaType, size, name };
    await this.#remember(event.delivery, file);
    return file;
  }

  /** Called when a delivery has reached its final state, whichever: its file will not be asked for again. */
  forget(delivery: string): void {
    if (!this.#there.delete(delivery)) return;
    this.#keep(new Map([[KEY + delivery, undefined]]));
  }

  /** Frees the connections to the service. */
  close(): Promise<void> {
    return this.#putter.close();
  }

  #find(link: Link): Promise<UploadService | undefined> {
    if (this.#service?.link !== link) {
      const { config, domain } = this.#options;
      const found = findUploadService(link, domain, config.uploadService);
      this.#service = { link, found };
      found.catch(() => {
        if (this.#service?.found === found) this.#service = undefined; // Asked again with the next file.
      });
    }
    return this.#service?.found ?? Promise.resolve(undefined);
  }

  /** Durable when it resolves, so that a crash before the message is confirmed costs no second upload. */
  async #remember(delivery: string, file: SharedFile): Promise<void> {
    this.#there.set(delivery, file);
    const changes = new Map<string, string | undefined>([[KEY + delivery, JSON.stringify(file)]]);
    for (const old of this.#there.keys()) {
      if (this.#there.size <= MOST_REMEMBERED) break;
      this.#there.delete(old);
      changes.set(KEY + old, undefined);
    }
    await this.#options.context.store.put(changes);
  }

  async #read(): Promise<void> {
    for (const [key, text] of await this.#options.context.store.entries()) {
      const file = key.startsWith(KEY) ? keptFile(text) : undefined;
      if (file) this.#there.set(key.slice(KEY.length), file);
    }
  }

  #keep(changes: ReadonlyMap<string, string | undefined>): void {
    this.#options.context.store.put(changes).catch((error: unknown) => {
      this.#options.context.logger.debug({ error: String(error) }, 'a file that was delivered is still remembered');
    });
  }
}

function keptFile(text: string): SharedFile | undefined {
  try {
    const file: SharedFile = JSON.parse(text);
    return webUrl(file.url) === undefined ? undefined : file;
  } catch {
    return undefined;
  }
}
