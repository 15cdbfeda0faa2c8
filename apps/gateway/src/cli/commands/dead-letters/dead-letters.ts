import { ANSWERS, type Answer } from '@magpie/api';
import { parseDuration } from '@magpie/contract';
import { visible } from '@magpie/schema-messages';
import { type Command, InvalidArgumentError } from 'commander';
import { type ClientOptions, call, getJson, postJson } from '../../client/http.ts';
import { withClientOptions } from '../../client/options.ts';
import { fail } from '../../output/fail.ts';
import { print, printJson } from '../../output/print.ts';
import { type EditOptions, editOf, withEdit } from './edit.ts';
import { letterTable, showLetter } from './view.ts';

const PATH = '/v1/dead-letters';

/** Dead letters asked for at a time. */
const PAGE = 200;

type Summary = Answer<'deadLetters'>['deadLetters'][number];

/** Names of the options that select dead letters, as the API calls them. */
const SELECTORS = ['consumer', 'reason', 'since', 'until', 'source', 'ref'] as const;

interface Selection extends ClientOptions, Partial<Record<(typeof SELECTORS)[number], string>> {}

interface ListOptions extends Selection {
  readonly limit: string;
  readonly json?: true;
}

interface RetryOptions extends Selection, EditOptions {
  readonly all?: true;
  readonly rate: string;
}

/** `magpie dead-letters`: lists, shows, retries and drops undelivered messages. */
export function addDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .alias('dlq')
    .description('list, show, retry and drop failed deliveries');
  withSelection(group.command('list'))
    .description('list dead letters, oldest first')
    .option('--limit <count>', 'maximum number of dead letters to list', '50')
    .option('--json', 'print JSON')
    .action(list);
  withClientOptions(group.command('show'))
    .description('show why a delivery failed, every attempt, the event and the message as sent')
    .argument('<id>', 'id of the dead letter')
    .option('--json', 'print JSON')
    .action(show);
  withEdit(withSelection(group.command('retry')))
    .description('retry dead letters with the current routes')
    .argument('[id]', 'id of one dead letter; omit it to take all that the options select')
    .option('--all', 'all dead letters')
    .option('--rate <count>', 'retries per second when several are selected', '10')
    .action(retry);
  withSelection(group.command('drop'))
    .description('delete dead letters for good')
    .argument('[id]', 'id of one dead letter; omit it to take all that the options select')
    .option('--all', 'all dead letters')
    .action(drop);
}

/** A time as the API takes it; a duration such as "2h" means two hours ago. Throws `InvalidArgumentError`. */
function time(text: string): string {
  const ago = parseDuration(text);
  const at = new Date(ago === undefined ? text : Date.now() - ago);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new InvalidArgumentError('Expected a time such as 2026-01-31T08:00:00Z, or an age such as 2h (two hours ago).');
}

const withSelection = (command: Command): Command =>
  withClientOptions(
    command
      .option('--consumer <route/target>', 'only those for this target')
      .option('--reason <reason>', 'only those with this reason, for example attempts')
      .option(
        '--since <time>',
        'only those that failed at or after this time: 2026-01-31T08:00:00Z, or 2h for two hours ago',
        time,
      )
      .option('--until <time>', 'only those that failed before this time', time)
      .option('--source <connection>', 'only those of messages from this connection')
      .option('--ref <ref>', 'only those of this message'),
  );

async function list({ limit, json, ...options }: ListOptions): Promise<void> {
  const { found, retrying } = await lettersOf(options, wholeNumber(limit, '--limit'));
  if (json) return printJson(found);
  print(letterTable(found));
  if (retrying > 0) print(`${retrying} more will be retried.`);
}

/** Reads page after page until there are enough. */
async function lettersOf(options: Selection, limit: number) {
  const found: Summary[] = [];
  let retrying = 0;
  for (let after: string | undefined; found.length < limit; ) {
    const query = new URLSearchParams({ ...selectionOf(options), limit: `${Math.min(PAGE, limit - found.length)}` });
    if (after !== undefined) query.set('after', after);
    const page = await getJson(options, `${PATH}?${query}`, ANSWERS.deadLetters);
    found.push(...page.deadLetters);
    retrying = page.retrying;
    after = page.next;
    if (after === undefined) break;
  }
  return { found, retrying };
}

async function show(id: string, { json, ...options }: ClientOptions & { readonly json?: true }): Promise<void> {
  const letter = await getJson(options, `${PATH}/${encodeURIComponent(id)}`, ANSWERS.deadLetter);
  if (json) printJson(letter);
  else print(showLetter(letter));
}

async function retry(id: string | undefined, options: RetryOptions): Promise<void> {
  const edit = editOf(options);
  if (id !== undefined) {
    const { ref } = await postJson(options, `${PATH}/${encodeURIComponent(id)}/retry`, edit, ANSWERS.retried);
    return print(visible(`retrying ${ref}; follow it with: magpie trace ${ref}`));
  }
  if (edit) return fail('--payload, --text, --base64, --header and --content-type change one dead letter: give its id');
  const body = { ...demandSelection(options), rate: positiveNumber(options.rate, '--rate') };
  const { matched, skipped } = await postJson(options, `${PATH}/retry`, body, ANSWERS.retrying);
  print(`retrying ${matched - skipped}, ${options.rate} per second`);
  if (skipped > 0)
    print(`${skipped} cannot be retried: their target is no longer configured, or they never entered the log`);
}

async function drop(id: string | undefined, options: Selection & { readonly all?: true }): Promise<void> {
  if (id !== undefined) {
    await call(options, `${PATH}/${encodeURIComponent(id)}`, { method: 'DELETE' });
    return print(`${id} is dropped`);
  }
  const { dropped } = await postJson(options, `${PATH}/drop`, demandSelection(options), ANSWERS.dropped);
  return print(`${dropped} are dropped`);
}

const selectionOf = (options: Selection): Record<string, string> =>
  Object.fromEntries(
    SELECTORS.flatMap((name) => {
      const value = options[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** Acting on all dead letters needs an explicit --all. */
function demandSelection({ all, ...options }: Selection & { readonly all?: true }): Record<string, string> {
  const selection = selectionOf(options);
  if (all || Object.keys(selection).length > 0) return selection;
  return fail(`expected the id of a dead letter, ${SELECTORS.map((name) => `--${name}`).join(', ')} or --all`);
}

function wholeNumber(text: string, option: string): number {
  return /^[1-9]\d*$/.test(text) ? Number(text) : fail(`${option}: expected a whole number from 1, got "${text}"`);
}

function positiveNumber(text: string, option: string): number {
  return Number(text) > 0 ? Number(text) : fail(`${option}: expected a number above 0, got "${text}"`);
}
