import { ANSWERS, type Answer } from '@magpie/api';
import { parseJsonBody } from '@magpie/contract';
import type { Command } from 'commander';
import { type ClientOptions, call, getJson, postJson } from './client.ts';
import { letterTable, showLetter } from './dead-letter-view.ts';
import { fail } from './fail.ts';
import { print, printJson, withClientOptions } from './options.ts';

const PATH = '/v1/dead-letters';

/** Dead letters asked for at a time. */
const PAGE = 200;

type Summary = Answer<'deadLetters'>['deadLetters'][number];

interface Selection extends ClientOptions {
  readonly consumer?: string;
  readonly reason?: string;
}

interface ListOptions extends Selection {
  readonly limit: string;
  readonly json?: true;
}

interface RetryOptions extends Selection {
  readonly all?: true;
  readonly rate: string;
  readonly payload?: string;
  readonly text?: string;
}

/** `magpie dead-letters`: what could not be delivered, and what to do about it. */
export function addDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .alias('dlq')
    .description('list, show, retry and drop deliveries that ended without success');
  withSelection(group.command('list'))
    .description('list dead letters, oldest first')
    .option('--limit <count>', 'how many at most', '50')
    .option('--json', 'print JSON')
    .action(list);
  withClientOptions(group.command('show'))
    .description('show why a delivery ended, every attempt, the event and the message as it was sent')
    .argument('<id>', 'id of the dead letter')
    .option('--json', 'print JSON')
    .action(show);
  withSelection(group.command('retry'))
    .description('try dead letters again with the routes of today')
    .argument('[id]', 'id of a dead letter; without one all that --consumer and --reason select')
    .option('--all', 'all dead letters')
    .option('--rate <count>', 'with several: how many per second', '10')
    .option('--payload <json>', 'with an id: send this JSON instead')
    .option('--text <text>', 'with an id: send this text instead')
    .action(retry);
  withSelection(group.command('drop'))
    .description('remove dead letters for ever')
    .argument('[id]', 'id of a dead letter; without one all that --consumer and --reason select')
    .option('--all', 'all dead letters')
    .action(drop);
}

const withSelection = (command: Command): Command =>
  withClientOptions(
    command
      .option('--consumer <route/target>', 'only those for this target')
      .option('--reason <reason>', 'only those that ended for this reason, for example attempts'),
  );

async function list({ limit, json, ...options }: ListOptions): Promise<void> {
  const found = await lettersOf(options, wholeNumber(limit, '--limit'));
  if (json) printJson(found);
  else print(letterTable(found));
}

/** Reads page after page until there are enough. */
async function lettersOf(options: Selection, limit: number): Promise<readonly Summary[]> {
  const found: Summary[] = [];
  for (let after: string | undefined; found.length < limit; ) {
    const query = new URLSearchParams({ ...selectionOf(options), limit: `${Math.min(PAGE, limit - found.length)}` });
    if (after !== undefined) query.set('after', after);
    const page = await getJson(options, `${PATH}?${query}`, ANSWERS.deadLetters);
    found.push(...page.deadLetters);
    after = page.next;
    if (after === undefined) break;
  }
  return found;
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
    return print(`${ref} is tried again; follow it by: magpie trace ${ref}`);
  }
  if (edit) return fail('--payload and --text change one dead letter: expected its id');
  const body = { ...demandSelection(options), rate: positiveNumber(options.rate, '--rate') };
  const { matched } = await postJson(options, `${PATH}/retry`, body, ANSWERS.retrying);
  return print(`${matched} are tried again, ${options.rate} per second`);
}

async function drop(id: string | undefined, options: Selection & { readonly all?: true }): Promise<void> {
  if (id !== undefined) {
    await call(options, `${PATH}/${encodeURIComponent(id)}`, { method: 'DELETE' });
    return print(`${id} is dropped`);
  }
  const { dropped } = await postJson(options, `${PATH}/drop`, demandSelection(options), ANSWERS.dropped);
  return print(`${dropped} are dropped`);
}

const selectionOf = ({ consumer, reason }: Selection): Record<string, string> => ({
  ...(consumer === undefined ? {} : { consumer }),
  ...(reason === undefined ? {} : { reason }),
});

/** Everything is meant only when that is said. */
function demandSelection({ all, ...options }: Selection & { readonly all?: true }): Record<string, string> {
  const selection = selectionOf(options);
  if (all || Object.keys(selection).length > 0) return selection;
  return fail('expected the id of a dead letter, --consumer, --reason or --all');
}

function editOf({ payload, text }: RetryOptions): object | undefined {
  if (payload !== undefined && text !== undefined) return fail('expected at most one of --payload and --text');
  if (text !== undefined) return { text };
  if (payload === undefined) return undefined;
  const value = parseJsonBody(Buffer.from(payload), 'application/json');
  return value === undefined ? fail(`--payload: expected JSON, got ${payload}`) : { payload: value };
}

function wholeNumber(text: string, option: string): number {
  return /^[1-9]\d*$/.test(text) ? Number(text) : fail(`${option}: expected a whole number from 1, got "${text}"`);
}

function positiveNumber(text: string, option: string): number {
  return Number(text) > 0 ? Number(text) : fail(`${option}: expected a number above 0, got "${text}"`);
}
