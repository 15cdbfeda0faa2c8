import { isLoopback, type MagpieError, Throttled, TooLarge, Transient } from '@magpie/contract';
import { webUrl } from '../codec/shared-file.ts';
import { announces, discoQuery, itemsOf, itemsQuery } from '../codec/stanza/disco.ts';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { conditionOf } from '../errors.ts';
import type { Link } from '../link/link.ts';

/** Where files can be put. */
export interface UploadService {
  readonly jid: string;
  /** Bytes of the largest file, where the service says so. */
  readonly maxFileSize: number | undefined;
}

/** Where one file can be put, and where it can be got afterwards. */
export interface Slot {
  readonly put: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly get: string;
}

/** A service does not serve us at all: something else has to be done with the file. */
export class NoUploads {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Most of a server's services that are asked what they are. */
const MOST_ASKED = 30;

/**
 * The upload service (XEP-0363 §4) among the services of a server, or the one that is configured; undefined when there is none. Asked
 * once per link. Rejects with `NotConnected` when the link is lost or does not answer.
 */
export async function findUploadService(
  link: Link,
  domain: string | undefined,
  configured: string | undefined,
): Promise<UploadService | undefined> {
  const asked = configured === undefined ? await servicesOf(link, domain) : [configured];
  const found = await Promise.all(
    asked.map(async (jid) => {
      const answer = await link.request('get', discoQuery(), jid);
      return announces(answer, NS.upload) ? { jid, maxFileSize: maxFileSize(answer) } : undefined;
    }),
  );
  return found.find((service) => service !== undefined);
}

async function servicesOf(link: Link, domain: string | undefined): Promise<string[]> {
  if (domain === undefined) return [];
  const items = itemsOf(await link.request('get', itemsQuery(), domain));
  return [...items.slice(0, MOST_ASKED), domain];
}

/** XEP-0363 §4: in the form that is the service's own; there may be others. */
function maxFileSize(answer: Element): number | undefined {
  const forms = answer.getChild('query', NS.discoInfo)?.getChildren('x', NS.dataForms) ?? [];
  const form = forms.find((each) => fieldOf(each, 'FORM_TYPE') === NS.upload);
  const size = Number((form && fieldOf(form, 'max-file-size')) ?? Number.NaN);
  return Number.isSafeInteger(size) && size > 0 ? size : undefined;
}

const fieldOf = (form: Element, name: string): string | undefined =>
  form
    .getChildren('field')
    .find((field) => attribute(field, 'var') === name)
    ?.getChildText('value') ?? undefined;

/**
 * Asks for a place for one file (XEP-0363 §5).
 * @param isClearAllowed whether the file may travel without TLS beyond this machine.
 * @throws TooLarge, Throttled (a quota), Transient. `NoUploads` is returned when the service does not serve us.
 */
export async function requestSlot(
  link: Link,
  service: UploadService,
  file: { readonly name: string; readonly size: number; readonly mediaType: string },
  isClearAllowed: boolean,
  signal: AbortSignal,
): Promise<Slot | NoUploads> {
  const { name, size, mediaType } = file;
  if (service.maxFileSize !== undefined && size > service.maxFileSize) throw tooLarge(size, service.maxFileSize);
  const wanted = { xmlns: NS.upload, filename: name, size: String(size), 'content-type': mediaType };
  const answer = await link.request('get', xml('request', wanted), service.jid, signal);
  const slot = answer.getChild('slot', NS.upload);
  if (!slot) return refusal(answer, size);
  const [put, get] = [slot.getChild('put'), slot.getChild('get')];
  const [putUrl, getUrl] = [put && webUrl(attribute(put, 'url')), get && webUrl(attribute(get, 'url'))];
  if (!put || putUrl === undefined || getUrl === undefined)
    throw new Transient(`${service.jid} offered a place for a file without two addresses of the web`);
  const { protocol, hostname } = new URL(putUrl);
  if (protocol === 'http:' && !isClearAllowed && !isLoopback(hostname))
    return new NoUploads(`${service.jid} offers http:// and no https://; tls: { required: false } permits that`);
  return { put: putUrl, get: getUrl, headers: headersOf(put) };
}

/** XEP-0363 §5: only these, and never more than one line. */
const PERMITTED = new Set(['authorization', 'cookie', 'expires']);

const headersOf = (put: Element): Record<string, string> =>
  Object.fromEntries(
    put.getChildren('header').flatMap((header) => {
      const name = (attribute(header, 'name') ?? '').trim().toLowerCase();
      return PERMITTED.has(name) ? [[name, header.getText().replace(/[\r\n]/g, '')] as const] : [];
    }),
  );

/** Pause after a used-up quota, ms. */
const QUOTA_MS = 60_000;

/** Conditions by which a service says that it is not for us. */
const NOT_FOR_US = new Set([
  'feature-not-implemented',
  'forbidden',
  'item-not-found',
  'not-allowed',
  'not-authorized',
  'remote-server-not-found',
  'service-unavailable',
]);

function refusal(answer: Element, size: number): NoUploads {
  const error = answer.getChild('error');
  const condition = error ? conditionOf(error) : 'no slot';
  const conditions = error?.getChild('file-too-large', NS.upload);
  if (conditions) throw tooLarge(size, Number(conditions.getChildText('max-file-size') ?? Number.NaN));
  const text = error?.getChild('text')?.getText();
  const sentence = `the upload service answered ${condition}${text ? `: ${text}` : ''}`;
  if (NOT_FOR_US.has(condition)) return new NoUploads(sentence);
  throw refused(sentence, error?.attrs.type === 'wait' || condition === 'resource-constraint');
}

const refused = (sentence: string, isQuota: boolean): MagpieError =>
  isQuota ? new Throttled(sentence, QUOTA_MS).concerning('place') : new Transient(sentence);

const tooLarge = (size: number, limit: number): TooLarge =>
  new TooLarge(
    `a file of ${size} bytes, more than the upload service takes (${Number.isNaN(limit) ? 'it does not say how much' : limit})`,
  );
