import { Command } from 'commander';
import { version } from '../version.ts';
import { addCheck } from './check.ts';
import { addDeadLetters } from './dead-letters.ts';
import { addExplain } from './explain.ts';
import { addPublish } from './publish.ts';
import { addReload } from './reload.ts';
import { addRun } from './run.ts';
import { addTail } from './tail.ts';
import { addTargets } from './targets.ts';
import { addTrace } from './trace.ts';

const COMMANDS = [addRun, addReload, addCheck, addExplain, addPublish, addTail, addTrace, addTargets, addDeadLetters];

/** The `magpie` command with everything it can do. Unknown commands and options get a suggestion. */
export function createProgram(): Command {
  const program = new Command('magpie')
    .description('Messaging gateway: bridges XMPP, MQTT, AMQP and HTTP through one durable event log.')
    .version(version, '-V, --version', 'print the version')
    .showHelpAfterError('(run with --help for usage)')
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help')
    .exitOverride();
  for (const add of COMMANDS) add(program);
  return program;
}
