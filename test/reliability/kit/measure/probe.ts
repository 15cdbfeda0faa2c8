import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '@magpie/contract';
import type { ConnectionName } from '../clients/paths.ts';
import type { World } from '../world.ts';

/** Resident memory of a process in MB. */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Math.round(Number(kilobytes) / 1024);
}

/** State of a connection as the gateway's API shows it. */
export async function connectionState({ gateway }: Pick<World, 'gateway'>, name: ConnectionName): Promise<string> {
  const response = await fetch(`${gateway.url}/v1/connections/${name}`, { signal: AbortSignal.timeout(2000) });
  const { state } = (await response.json()) as { state?: unknown };
  return String(state);
}

/** Number of dead letters since the gateway started. */
export async function deadLetters({ gateway }: Pick<World, 'gateway'>): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const counts = [...text.matchAll(/^magpie_dead_letters_total(?:\{.*\})? (\d+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Number of events that the gateway has taken from a connection since it started. */
export async function received({ url }: Pick<World['gateway'], 'url'>, connection: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = new RegExp(
    `^magpie_events_received_total\\{[^}]*connection="${connection}",result="stored"[^}]*\\} (\\d+)$`,
    'm',
  );
  return Number(line.exec(text)?.[1] ?? Number.NaN);
}

/** Number of deliveries since the gateway started that were sent too late. */
export async function expired({ gateway }: Pick<World, 'gateway'>): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const counts = [...text.matchAll(/^magpie_deliveries_total\{.*result="expired".*\} (\d+)$/gm)].map(([, count]) =>
    Number(count),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

const POLL_MS = 25;

/** Milliseconds until the gateway shows the connection as anything but up; undefined when that never happens before `signal`. */
export async function noticed(world: World, name: ConnectionName, signal: AbortSignal): Promise<number | undefined> {
  const started = performance.now();
  while (!signal.aborted) {
    if ((await connectionState(world, name)) !== 'up') return performance.now() - started;
    await sleep(POLL_MS);
  }
  return undefined;
}

/** What the gateway says of itself, for the message of a failed test. */
export async function describeGateway({ gateway }: World): Promise<string> {
  const get = async (path: string): Promise<string> => {
    const response = await fetch(`${gateway.url}${path}`, { signal: AbortSignal.timeout(2000) });
    return response.text();
  };
  try {
    const metrics = (await get('/metrics')).split('\n').filter((line) => line.startsWith('magpie_'));
    return [await get('/v1/connections'), ...metrics, gateway.logs().slice(-4000)].join('\n');
  } catch (error) {
    return `the gateway does not answer: ${errorMessage(error)}\n${gateway.logs().slice(-4000)}`;
  }
}

/** Connections of the gateway with the number of attempts each has made. */
export async function attempts({ gateway }: World): Promise<Readonly<Record<string, number>>> {
  const response = await fetch(`${gateway.url}/v1/connections`, { signal: AbortSignal.timeout(2000) });
  const { connections } = (await response.json()) as { connections: { name: string; attempts: number }[] };
  return Object.fromEntries(connections.map((connection) => [connection.name, connection.attempts]));
}
