import { Command } from 'commander';
import { version } from '../version.ts';
import { addCert } from './commands/cert.ts';
import { addCheck } from './commands/check.ts';
import { addDeadLetters } from './commands/dead-letters/dead-letters.ts';
import { addExplain } from './commands/explain.ts';
import { addKey } from './commands/key.ts';
import { addPublish } from './commands/publish.ts';
import { addReload } from './commands/reload.ts';
import { addRun } from './commands/run/run.ts';
import { addTail } from './commands/tail.ts';
import { addTargets } from './commands/targets.ts';
import { addTrace } from './commands/trace.ts';
import { print, printError, printFailure } from './output/print.ts';

const COMMANDS = [
  addRun,
  addReload,
  addCheck,
  addExplain,
  addPublish,
  addTail,
  addTrace,
  addTargets,
  addDeadLetters,
  addCert,
  addKey,
];

/** The `magpie` command with all subcommands. Unknown commands and options get a suggestion. */
export function createProgram(): Command {
  const program = new Command('magpie')
    .description('Messaging gateway: bridges XMPP, MQTT, AMQP and HTTP through one durable event log.')
    .version(version, '-V, --version', 'print the version')
    .showHelpAfterError('(run with --help for usage)')
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ writeOut: print, writeErr: printError, outputError: printFailure })
    .exitOverride();
  for (const add of COMMANDS) add(program);
  return program;
}
