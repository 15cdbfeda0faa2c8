import { errorMessage, parseJsonBody } from '@magpie/contract';
import { visible } from '@magpie/schema-messages';
import { fail } from '../output/fail.ts';

/** How the CLI reaches a running gateway. */
export interface ClientOptions {
  readonly url: string;
  readonly key?: string;
}

/** Where a gateway listens unless its configuration says otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Method, body and headers of a call. */
export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Checks JSON, as a schema does. */
export interface Checker<T> {
  safeParse(json: unknown): { readonly success: true; readonly data: T } | { readonly success: false };
}

/**
 * Headers with the bearer key (RFC 6750 section 2.1) from `--key` or MAGPIE_KEY. The error for an invalid key does not
 * show it.
 */
export function authorization({ key = process.env.MAGPIE_KEY }: ClientOptions): Record<string, string> {
  if (key === undefined) return {};
  if (!/^[\x21-\x7e]+$/.test(key))
    fail('the key (--key or MAGPIE_KEY): expected visible ASCII characters without spaces');
  return { authorization: `Bearer ${key}` };
}

/** One call of the API; when it fails, the command ends with the API's error message. */
export async function call(options: ClientOptions, path: string, init: CallOptions = {}): Promise<Response> {
  const request = requestOf(options, path, init);
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : errorMessage(error);
    if (isDistrust(error))
      return fail(
        `the gateway at ${options.url} is not trusted: ${cause}. Name its certificate, or that of the authority that signed it, by --ca.`,
      );
    return fail(`no gateway answers at ${options.url}: ${cause}. Is it running? Use --url to name another.`);
  }
  if (response.ok) return response;
  return fail(refusalText(response.status, await response.text()));
}

/** Whether the certificate of the gateway was refused, by the codes of OpenSSL. */
const isDistrust = (error: unknown): boolean =>
  error instanceof Error &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  /SELF_SIGNED|UNABLE_TO_|^CERT_|ALTNAME/.test(String(error.cause.code));

/** A header the user typed may hold characters that HTTP forbids. */
function requestOf(options: ClientOptions, path: string, init: CallOptions): Request {
  const headers = { ...authorization(options), ...init.headers };
  try {
    return new Request(new URL(path, options.url), { ...init, headers });
  } catch (error) {
    return fail(`the request cannot be sent: ${errorMessage(error)}`);
  }
}

/** Reads JSON from the API. */
export async function getJson<T>(options: ClientOptions, path: string, checker: Checker<T>): Promise<T> {
  return read(await call(options, path), checker);
}

/** Posts JSON, or nothing, to the API and reads the answer. */
export async function postJson<T>(
  options: ClientOptions,
  path: string,
  body: object | undefined,
  checker: Checker<T>,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const content = body && { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
  return read(await call(options, path, { method: 'POST', ...content }), checker);
}

async function read<T>(response: Response, checker: Checker<T>): Promise<T> {
  const parsed = checker.safeParse(parseJsonBody(Buffer.from(await response.arrayBuffer()), 'application/json'));
  if (parsed.success) return parsed.data;
  return fail(
    `the answer from ${response.url} is not one of this Magpie version; check --url and the version of the gateway`,
  );
}

/** The API's error message: status, title and detail of its problem document. */
export const refusalText = (status: number, body: string): string => `${status} ${problemText(body)}`;

/** Characters shown of an answer that is not a problem document, such as the error page of a proxy. */
const LONGEST_FOREIGN = 1000;

function problemText(text: string): string {
  try {
    const { title, detail, errors = [], problems = [] }: ProblemBody = JSON.parse(text);
    const fields = errors.map((each) => `\n  ${visible(`${each.pointer}: ${each.detail}`)}`);
    const places = problems.map(
      (each) => `\n  ${visible(`${each.file}:${each.line}:${each.column}: ${each.message}`)}`,
    );
    return [visible(`${title ?? ''}${detail ? `: ${detail}` : ''}`), ...fields, ...places].join('');
  } catch {
    return visible(text.slice(0, LONGEST_FOREIGN)); // Not a problem document: a proxy has answered, not the gateway.
  }
}

/** The members of a problem document that are shown. */
interface ProblemBody {
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  readonly problems?: readonly {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly message: string;
  }[];
}
