import { Command } from 'commander';
import { version } from '../version.ts';
import { addCheck } from './check.ts';
import { addExplain } from './explain.ts';
import { addPublish } from './publish.ts';
import { addRun } from './run.ts';
import { addTail } from './tail.ts';

/** The `magpie` command with everything it can do. Unknown commands and options get a suggestion. */
export function createProgram(): Command {
  const program = new Command('magpie')
    .description('Messaging gateway: bridges XMPP, MQTT, AMQP and HTTP through one durable event log.')
    .version(version, '-V, --version', 'print the version')
    .showHelpAfterError('(run with --help for usage)')
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help');
  for (const add of [addRun, addCheck, addExplain, addPublish, addTail]) add(program);
  return program;
}
