import { ANSWERS, type Answer } from '@magpie/api';
import type { Command } from 'commander';
import { type ClientOptions, getJson, postJson } from '../client/http.ts';
import { withClientOptions } from '../client/options.ts';
import { print, printJson } from '../output/print.ts';
import { table } from '../output/table.ts';

const PATH = '/v1/targets';

type Target = Answer<'targets'>['targets'][number];

/** `magpie targets`: what each target has before it, and what to do about deliveries that are blocked there. */
export function addTargets(program: Command): void {
  const group = program
    .command('targets')
    .description('list what each target has before it; try blocked deliveries again or give them up');
  withClientOptions(group.command('list', { isDefault: true }))
    .description('list all targets, and removed ones whose backlog is still kept')
    .option('--json', 'print JSON')
    .action(list);
  withClientOptions(group.command('retry'))
    .description('try the deliveries again that are out of attempts and hold their lanes ("then: block")')
    .argument('<route/target>', 'the target, as the list shows it')
    .action(retry);
  withClientOptions(group.command('give-up'))
    .description('make dead letters of the deliveries that are out of attempts and hold their lanes ("then: block")')
    .argument('<route/target>', 'the target, as the list shows it')
    .action(giveUp);
}

async function list({ json, ...options }: ClientOptions & { readonly json?: true }): Promise<void> {
  const answer = await getJson(options, PATH, ANSWERS.targets);
  if (json) printJson(answer);
  else print(targetTables(answer));
}

async function retry(consumer: string, options: ClientOptions): Promise<void> {
  print(`${await decide(consumer, 'retry', options)} are tried again`);
}

async function giveUp(consumer: string, options: ClientOptions): Promise<void> {
  print(`${await decide(consumer, 'dead-letter', options)} become dead letters`);
}

async function decide(consumer: string, decision: string, options: ClientOptions): Promise<number> {
  const path = `${PATH}/${encodeURIComponent(consumer)}/${decision}`;
  return (await postJson(options, path, undefined, ANSWERS.unblocked)).blocked;
}

/** Targets as a table, and below it what has been kept of removed ones. */
function targetTables({ targets, orphans }: Answer<'targets'>): string {
  const rows = targets.map((target) => {
    const { consumer, connection, waiting, inFlight, held, blocked } = target;
    return [consumer, connection, ...[waiting, inFlight, held, blocked].map(String), stateOf(target)];
  });
  const head = ['TARGET', 'CONNECTION', 'WAITING', 'IN FLIGHT', 'HELD', 'BLOCKED', 'STATE'];
  const all = rows.length > 0 ? table(head, rows) : 'There are no targets.\n';
  return orphans.length === 0 ? all : `${all}\n${orphanTable(orphans)}`;
}

/** What is unusual about a target; nothing when it is as it should be. */
function stateOf({ suspended, suspension, lagging }: Target): string {
  const why = suspension && ` since ${suspension.since}: ${suspension.error}; next probe ${suspension.nextAttempt}`;
  const parts = [suspended ? `suspended${why ?? ''}` : '', lagging ? 'more waits in the log' : ''];
  return parts.filter((part) => part !== '').join('; ');
}

/** Removed targets as a table. */
function orphanTable(orphans: Answer<'targets'>['orphans']): string {
  const rows = orphans.map(({ consumer, since, keptUntil, backlog }) => [
    consumer,
    since,
    keptUntil,
    backlog ? 'waits for it' : 'nothing waits',
  ]);
  return table(['REMOVED TARGET', 'SINCE', 'KEPT UNTIL', 'BACKLOG'], rows);
}
