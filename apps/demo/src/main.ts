import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NoBrokers, startBrokerSet } from '@magpie/brokers';
import { renderProblems } from '@magpie/config';
import { createLineLogger, errorMessage, type Logger } from '@magpie/contract';
import { ADAPTERS, type Assembled, assemble, compileFile } from '@magpie/gateway';
import { Command } from 'commander';
import { startApp } from './app.ts';
import { createHops, HopFailed } from './hops.ts';
import { memoryWorld } from './memory-world.ts';
import type { World } from './players.ts';
import { REAL_USERS, realWorld } from './real-world.ts';
import { play } from './scenario.ts';

interface PlayOptions {
  readonly once?: true;
  readonly memory?: true;
  readonly port: string;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Warnings of the gateway belong on the terminal; normal operation is silent. */
const logger: Logger = createLineLogger((level, fields, message) => {
  if (level === 'warn' || level === 'error') say(`  ! ${message} ${JSON.stringify(fields)}`);
});

/** Real brokers, in Docker or installed on this machine; in-memory brokers where neither is possible. */
async function chooseWorld(memory: boolean): Promise<World> {
  if (memory) return memoryWorld();
  try {
    return realWorld(await startBrokerSet({ users: REAL_USERS, progress: (line) => say(`  ${line}`) }));
  } catch (error) {
    if (!(error instanceof NoBrokers)) throw error;
    say(`${error.message}\nThe scenario runs on in-memory brokers instead.`);
    return memoryWorld();
  }
}

async function startGateway(world: World, dataDir: string, port: string): Promise<Assembled & { url: string }> {
  const env = { ...process.env, ...world.env, MAGPIE_PORT: port };
  const { config, routes, book, problems, source } = compileFile(ADAPTERS, { path: world.configuration, env });
  if (!config || !routes) throw new Error(renderProblems(problems, source));
  const onFatal = (error: Error): never => {
    throw error;
  };
  const gateway = { ...config.gateway, dataDir };
  const assembled = await assemble({ config: { ...config, gateway }, routes, book, logger, onFatal });
  const url = await assembled.start();
  await connected(assembled);
  return { ...assembled, url };
}

const CONNECT_MS = 30_000;

async function connected({ gateway }: Assembled): Promise<void> {
  const deadline = performance.now() + CONNECT_MS;
  while (gateway.connections().some(({ state }) => state !== 'up')) {
    if (performance.now() > deadline) {
      const down = gateway.connections().filter(({ state }) => state !== 'up');
      const why = down.map(({ name, state, error }) => `${name} is ${state}: ${error?.message ?? 'no error'}`);
      throw new HopFailed(`the gateway does not reach its brokers: ${why.join('; ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const invitation = (url: string): string => `
The gateway is up at ${url}. Three things to try:

  curl -s ${url}/v1/messages -H 'content-type: application/json' -d '{"topic":"notices/hall-2","text":"hello"}'
  npm run -s magpie -- tail --url ${url}
  apps/docs/README.md

Ctrl-C stops it and everything it started.`;

async function untilInterrupted(): Promise<void> {
  await new Promise<void>((resolve) => {
    // A pending promise alone does not keep the process alive.
    const alive = setInterval(() => undefined, 60_000);
    const stop = (): void => {
      clearInterval(alive);
      resolve();
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}

async function run({ once, memory, port }: PlayOptions): Promise<void> {
  const world = await chooseWorld(memory === true);
  const dataDir = await mkdtemp(join(tmpdir(), 'magpie-'));
  let gateway: Awaited<ReturnType<typeof startGateway>> | undefined;
  try {
    gateway = await startGateway(world, dataDir, once ? '0' : port);
    say(`  gateway on ${gateway.url}, with ${world.title}`);
    const app = await startApp(gateway.url);
    const hops = createHops(say);
    const { watched } = world;
    await play({ ...(await world.players()), app, watched }, hops);
    app.close();
    say(`\nAll ${hops.count} hops done.`);
    if (!once) {
      say(invitation(gateway.url));
      await untilInterrupted();
    }
  } finally {
    await gateway?.stop(8000);
    await world.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const program = new Command('npm start --')
  .description('Brings up brokers and a gateway and plays the pump room scenario.')
  .option('--once', 'verify every hop, stop everything, exit 0; exit 1 naming the hop that failed')
  .option('--memory', 'use in-memory brokers instead of real ones')
  .option('--port <port>', 'port of the API', '8080')
  .showHelpAfterError('(run with --help for usage)')
  .action((options: PlayOptions) =>
    run(options).catch((error: unknown) => {
      process.stderr.write(
        `\n✘ ${error instanceof HopFailed ? 'This hop failed' : 'The scenario stopped'}: ${errorMessage(error)}\n`,
      );
      process.exitCode = 1;
    }),
  );

await program.parseAsync(process.argv);
process.exit();
