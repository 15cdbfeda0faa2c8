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

async function problemText(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { title, detail, errors = [] } = JSON.parse(text);
    const more = errors.map((each: { pointer: string; detail: string }) => `\n  ${each.pointer}: ${each.detail}`);
    return `${title ?? ''}${detail ? `: ${detail}` : ''}${more.join('')}`;
  } catch {
    return text;
  }
}
