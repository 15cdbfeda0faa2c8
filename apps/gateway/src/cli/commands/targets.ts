import { ANSWERS, type Answer } from '@magpie/api';
import type { Command } from 'commander';
import { type ClientOptions, getJson, postJson } from '../client/http.ts';
import { withClientOptions } from '../client/options.ts';
import { print, printJson } from '../output/print.ts';
import { table } from '../output/table.ts';

const PATH = '/v1/targets';

type Target = Answer<'targets'>['targets'][number];

/** `magpie targets`: shows the backlog of each target, and decides about waiting deliveries. */
export function addTargets(program: Command): void {
  const group = program
    .command('targets')
    .description('list targets with their backlogs; retry, give up or drop waiting deliveries');
  withClientOptions(group.command('list', { isDefault: true }))
    .description('list all targets, including removed ones whose backlog is still kept')
    .option('--json', 'print JSON')
    .action(list);
  for (const { name, decision, description, outcome } of DECISIONS) {
    withClientOptions(group.command(name))
      .description(`${description}: blocked ones (out of attempts, "then: block") unless options select others`)
      .argument('<route/target>', 'target, as the list shows it')
      .argument('[ref]', 'only the delivery of this event')
      .option('--lane <key>', 'only deliveries with this ordering key')
      .option('--place <address>', 'only deliveries to this address, as the list shows it')
      .action(async (consumer: string, ref: string | undefined, options: DecisionOptions) =>
        print(`${await decide(consumer, decision, ref, options)} ${outcome}`),
      );
  }
}

type DecisionOptions = ClientOptions & { readonly lane?: string; readonly place?: string };

/** Decisions of an operator about waiting deliveries. */
const DECISIONS = [
  { name: 'retry', decision: 'retry', description: 'retry deliveries at once', outcome: 'will be retried' },
  {
    name: 'give-up',
    decision: 'dead-letter',
    description: 'turn deliveries into dead letters',
    outcome: 'became dead letters',
  },
  { name: 'drop', decision: 'drop', description: 'delete deliveries for good', outcome: 'are dropped' },
] as const;

async function list({ json, ...options }: ClientOptions & { readonly json?: true }): Promise<void> {
  const answer = await getJson(options, PATH, ANSWERS.targets);
  if (json) printJson(answer);
  else print(targetTables(answer));
}

async function decide(
  consumer: string,
  decision: string,
  ref: string | undefined,
  { lane, place, ...options }: DecisionOptions,
): Promise<number> {
  const query = new URLSearchParams(
    Object.entries({ ref, lane, place }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const path = `${PATH}/${encodeURIComponent(consumer)}/${decision}${query.size > 0 ? `?${query}` : ''}`;
  return (await postJson(options, path, undefined, ANSWERS.decided)).deliveries;
}

/** Targets as a table, followed by the kept backlogs of removed targets. */
function targetTables({ targets, orphans }: Answer<'targets'>): string {
  const rows = targets.map((target) => {
    const { consumer, connection, waiting, inFlight, held, blocked } = target;
    return [consumer, connection, ...[waiting, inFlight, held, blocked].map(String), stateOf(target)];
  });
  const head = ['TARGET', 'CONNECTION', 'WAITING', 'IN FLIGHT', 'HELD', 'BLOCKED', 'STATE'];
  const all = rows.length > 0 ? table(head, rows) : 'No targets are configured.\n';
  const places = targets.flatMap(({ consumer, places: suspended }) =>
    suspended.map((place) => ({ consumer, ...place })),
  );
  const parts = [all, places.length > 0 ? placeTable(places) : '', orphans.length > 0 ? orphanTable(orphans) : ''];
  return parts.filter((part) => part !== '').join('\n');
}

/** Deviations of a target from normal operation; empty when there are none. */
function stateOf({ suspended, suspension, lagging, limited = 0, quietUntil }: Target): string {
  const why = suspension && ` since ${suspension.since}: ${suspension.error}; next probe ${suspension.nextAttempt}`;
  const parts = [
    suspended ? `suspended${why ?? ''}` : '',
    lagging ? 'lagging: more waits in the log' : '',
    quietUntil === undefined ? '' : `quiet hours until ${quietUntil}`,
    limited > 0 ? `limited: ${limited} not sent, waiting for their summary` : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** Suspended places as a table. */
function placeTable(places: readonly (Target['places'][number] & { readonly consumer: string })[]): string {
  const rows = places.map(({ consumer, place, waiting, since, error, nextAttempt }) => [
    ...[consumer, place, String(waiting), since, `${error}; next try ${nextAttempt}`],
  ]);
  return table(['TARGET', 'SUSPENDED PLACE', 'WAITING', 'SINCE', 'WHY'], rows);
}

/** Removed targets as a table. */
function orphanTable(orphans: Answer<'targets'>['orphans']): string {
  const rows = orphans.map(({ consumer, since, keptUntil, backlog }) => [
    consumer,
    since,
    keptUntil,
    backlog ? 'deliveries wait' : 'nothing waits',
  ]);
  return table(['REMOVED TARGET', 'SINCE', 'KEPT UNTIL', 'BACKLOG'], rows);
}
