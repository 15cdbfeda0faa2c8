import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderProblems } from '@magpie/config';
import { createLineLogger, errorMessage, type Logger } from '@magpie/contract';
import { ADAPTERS, type Assembled, assemble, compileFile } from '@magpie/gateway';
import { Command, Option } from 'commander';
import { devicesAsContacts } from './contacts/stage.ts';
import { createHops, HopFailed } from './hops.ts';
import { pumpRoom } from './pump-room.ts';
import type { Stage } from './stage.ts';

interface PlayOptions {
  readonly once?: true;
  readonly memory?: true;
  readonly port: string;
  readonly example: string;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Warnings of the gateway belong on the terminal; normal operation is silent. */
const logger: Logger = createLineLogger((level, fields, message) => {
  if (level === 'warn' || level === 'error') say(`  ! ${message} ${JSON.stringify(fields)}`);
});

/** What can be played, by the name of its folder under apps/gateway/examples. */
const EXAMPLES: Readonly<Record<string, (memory: boolean) => Promise<Stage>>> = {
  'pump-room': (memory) => pumpRoom(memory, say),
  'devices-as-contacts': () => devicesAsContacts(say),
};

async function startGateway(stage: Stage, dataDir: string, port: string): Promise<Assembled & { url: string }> {
  const env = { ...process.env, ...stage.env, MAGPIE_PORT: port };
  const { config, routes, book, problems, source } = compileFile(ADAPTERS, { path: stage.configuration, env });
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

const invitation = (url: string, lines: readonly string[]): string => `
The gateway is up at ${url}. Try:

${lines.map((line) => `  ${line}`).join('\n')}

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

async function run({ once, memory, port, example }: PlayOptions): Promise<void> {
  const stage = await EXAMPLES[example]!(memory === true);
  const dataDir = await mkdtemp(join(tmpdir(), 'magpie-'));
  let gateway: Awaited<ReturnType<typeof startGateway>> | undefined;
  try {
    gateway = await startGateway(stage, dataDir, once ? '0' : port);
    say(`  gateway on ${gateway.url}, with ${stage.title}`);
    const hops = createHops(say);
    await stage.play(gateway.url, hops);
    say(`\nAll ${hops.count} hops done.`);
    if (!once) {
      say(invitation(gateway.url, stage.invitation(gateway.url)));
      await untilInterrupted();
    }
  } finally {
    await gateway?.stop(8000);
    await stage.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const program = new Command('npm start --')
  .description('Brings up brokers and a gateway and plays an example between them.')
  .addOption(new Option('--example <name>', 'what to play').choices(Object.keys(EXAMPLES)).default('pump-room'))
  .option('--once', 'verify every hop, stop everything, exit 0; exit 1 naming the hop that failed')
  .option('--memory', 'pump-room: use in-memory brokers instead of real ones')
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
