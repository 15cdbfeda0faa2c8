import { LogFailed } from '@magpie/bus';
import { renderProblems } from '@magpie/config';
import { createLogger, LOG_LEVELS, type LogLevel } from '@magpie/telemetry';
import { type Command, Option } from 'commander';
import { ADAPTERS } from '../../../adapters.ts';
import { type Compiled, compileFile } from '../../../config/compile.ts';
import { watchFiles } from '../../../reload/watch.ts';
import { type Assembled, assemble } from '../../../runtime/assemble.ts';
import { CommandFailed, fail } from '../../output/fail.ts';
import { printError } from '../../output/print.ts';
import { takeSignals } from './signals.ts';

interface RunOptions {
  readonly config: string;
  readonly logLevel: LogLevel;
  readonly pretty?: true;
  readonly watch: boolean;
  readonly acceptLoss?: true;
}

/** `magpie run`: the gateway itself. */
export function addRun(program: Command): void {
  program
    .command('run')
    .description(
      'run the gateway until SIGTERM or SIGINT (a second signal ends it at once); SIGHUP or a changed file reloads it',
    )
    .requiredOption('-c, --config <file>', 'configuration file')
    .addOption(new Option('--log-level <level>', 'lowest level to log').choices(LOG_LEVELS).default('info'))
    .option('--pretty', 'log readable lines instead of JSON (default on a terminal)')
    .option('--no-watch', 'reload only on SIGHUP or through the API, not when the file changes')
    .option('--accept-loss', 'start although files of the event log are missing; the messages in them are lost')
    .action(run);
}

async function run({ config: path, logLevel, pretty, watch, acceptLoss }: RunOptions): Promise<void> {
  const logger = createLogger({ level: logLevel, pretty: pretty ?? process.stdout.isTTY === true });
  const signals = takeSignals((message) => logger.info({}, message));
  const load = (gatewayId?: string): Compiled =>
    compileFile(ADAPTERS, { path, ...(gatewayId === undefined ? {} : { gatewayId }) });
  const first = load();
  const { config, routes, book, problems, source } = first;
  if (problems.length > 0) printError(`${renderProblems(problems, source)}\n`);
  if (!config || !routes) return fail(`${path} has errors (see above); correct them and start again`);
  if (process.getuid?.() === 0) logger.warn({}, 'running as root: run the gateway as a user of its own');
  const loading = { first, load };
  const onFatal = endOnce((error) => logger.error({ error: error.name }, `stopping: ${error.message}`));
  const assembled = await assemble({
    config,
    routes,
    book,
    logger,
    onFatal,
    loading,
    acceptLoss: acceptLoss ?? false,
  }).catch(explainStart);
  if (signals.stopEarly(assembled)) return;
  const url = await assembled.start().catch(explainStart);
  logger.info({ url, gateway: config.gateway.id }, `listening on ${url}`);
  signals.obey(assembled);
  if (watch) reloadWhenChanged(assembled);
}

function reloadWhenChanged({ reloader }: Assembled): void {
  if (reloader) watchFiles({ files: reloader.files, onChange: () => void reloader.filesChanged() });
}

/** Exit code when the log can no longer be trusted: an internal error (sysexits.h, EX_SOFTWARE). */
const EXIT_FATAL = 70;

/** Ends the process with one sentence; later calls do nothing. */
function endOnce(say: (error: Error) => void): (error: Error) => void {
  let ending = false;
  return (error) => {
    if (ending) return;
    ending = true;
    say(error);
    setImmediate(() => process.exit(EXIT_FATAL)); // Requests waiting for the log are answered first.
  };
}

/** A log that cannot be trusted has an exit code of its own. */
function explainStart(error: unknown): never {
  if (error instanceof LogFailed) throw new CommandFailed(error.message, EXIT_FATAL);
  throw error;
}
