import { createServer } from 'node:net';

/** Below Linux's range for outgoing connections, so that a port stays ours while its broker is down for a restart. */
const first = 12_000;
const count = 20_000;
const handedOut = new Set<number>();

/**
 * Finds one free loopback port for each of `names`, never the same one twice in this process. Another process may
 * still take a port before the broker binds it; the launcher then tries again with others.
 * @throws Error when 200 ports in a row were taken.
 */
export async function freePorts<Name extends string>(names: readonly Name[]): Promise<Record<Name, number>> {
  const ports = await Promise.all(names.map(async (name) => [name, await freePort()] as const));
  // Object.fromEntries widens the keys to string; they are exactly `names`.
  return Object.fromEntries(ports) as Record<Name, number>;
}

async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = first + Math.floor(Math.random() * count);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`Found no free TCP port on 127.0.0.1 between ${first} and ${first + count} in 200 attempts.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
