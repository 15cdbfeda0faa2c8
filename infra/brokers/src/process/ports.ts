import { createServer } from 'node:net';

/** Below Linux's range for outgoing connections, so that a port stays ours while its broker is down for a restart. */
const first = 12_000;
const count = 20_000;
const handedOut = new Set<number>();

/**
 * Gives each of `names` its port from `fixed`, or else a free loopback port, never the same one twice in this process.
 * Another process may still take a port before the broker binds it; the launcher then tries again with others.
 * @throws Error when a fixed port is taken, or 200 others in a row were.
 */
export async function choosePorts<Name extends string>(
  names: readonly Name[],
  fixed: Partial<Record<Name, number>> = {},
): Promise<Record<Name, number>> {
  const ports = await Promise.all(
    names.map(async (name) => {
      const port = fixed[name];
      return [name, port === undefined ? await freePort() : await checked(name, port)] as const;
    }),
  );
  // Object.fromEntries widens the keys to string; they are exactly `names`.
  return Object.fromEntries(ports) as Record<Name, number>;
}

async function checked(name: string, port: number): Promise<number> {
  if (await isFree(port)) return port;
  throw new Error(
    `TCP port ${port} of 127.0.0.1, wanted for "${name}", is taken. Stop what uses it or choose another.`,
  );
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
