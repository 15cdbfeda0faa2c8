import { fail } from './fail.ts';

/** How the CLI reaches a running gateway. */
export interface ClientOptions {
  readonly url: string;
  readonly key?: string;
}

export const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Headers with the bearer key, from `--key` or MAGPIE_KEY. */
export function authorization({ key = process.env.MAGPIE_KEY }: ClientOptions): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** One call of the API; ends the command with the problem's own words when it fails. */
export async function call(options: ClientOptions, path: string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(path, options.url);
  const headers = { ...authorization(options), ...(init.headers as Record<string, string> | undefined) };
  let response: Response;
  try {
    response = await fetch(url, { ...init, headers });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return fail(`no gateway answers at ${options.url}: ${cause}. Is it running? Use --url to name another.`);
  }
  if (response.ok) return response;
  return fail(`${response.status} ${await problemText(response)}`);
}

/** Reads JSON from the API. */
export async function getJson<T>(options: ClientOptions, path: string): Promise<T> {
  const response = await call(options, path);
  return (await response.json()) as T;
}

/** Posts JSON, or nothing, to the API and reads the answer. */
export async function postJson<T>(options: ClientOptions, path: string, body: object | undefined): Promise<T> {
  const content = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await call(options, path, { method: 'POST', ...content });
  return (await response.json()) as T;
}

async function problemText(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { title, detail, errors = [], problems = [] }: ProblemBody = JSON.parse(text);
    const fields = errors.map((each) => `\n  ${each.pointer}: ${each.detail}`);
    const places = problems.map((each) => `\n  ${each.file}:${each.line}:${each.column}: ${each.message}`);
    return [title ?? '', detail ? `: ${detail}` : '', ...fields, ...places].join('');
  } catch {
    return text; // No problem details: something between here and the gateway has answered.
  }
}

/** What of a problem is shown. */
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
