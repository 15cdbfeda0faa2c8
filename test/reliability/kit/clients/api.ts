import { waitFor } from '@magpie/testkit';
import type { World } from '../world.ts';

const TIMEOUT_MS = 10_000;

/** How the gateway answered a message of an app. */
export interface PublishAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly retryAfter: string | null;
  readonly detail: string;
  /** How long it took, in ms. */
  readonly took: number;
}

/** Publishes once by REST, whatever the answer. */
export async function publishOnce({ gateway }: World, topic: string): Promise<PublishAnswer> {
  const started = performance.now();
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic, text: 'once' }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { detail } = (await response.json()) as { detail?: unknown };
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    detail: String(detail),
    took: performance.now() - started,
  };
}

/** Why the gateway takes nothing at present; empty when it does. */
export async function holds({ gateway }: World): Promise<readonly string[]> {
  const response = await fetch(`${gateway.url}/v1`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return ((await response.json()) as { holds: string[] }).holds;
}

/** Number of dead letters that are kept, up to 200. */
export async function keptDeadLetters({ gateway }: World): Promise<number> {
  const url = `${gateway.url}/v1/dead-letters?limit=200`;
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return ((await response.json()) as { deadLetters: unknown[] }).deadLetters.length;
}

/** Drops all dead letters. */
export async function dropDeadLetters({ gateway }: World): Promise<void> {
  const response = await fetch(`${gateway.url}/v1/dead-letters/drop`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`dead letters cannot be dropped: ${response.status}`);
}

const REST_MS = 100;

/** Resolves when the gateway has written down what it has delivered: it has committed nothing for a while. */
export async function commitsAtRest({ gateway }: World): Promise<void> {
  let before: string | undefined;
  const atRest = async (): Promise<boolean> => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    const commits = /^magpie_commit_seconds_count (\d+)$/m.exec(text)?.[1];
    const same = commits !== undefined && commits === before;
    before = commits;
    return same;
  };
  await waitFor(atRest, { what: 'the commits to come to rest', interval: REST_MS });
}
