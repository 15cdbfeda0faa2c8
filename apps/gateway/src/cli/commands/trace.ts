import { ANSWERS, type Answer } from '@magpie/api';
import type { Command } from 'commander';
import { type ClientOptions, getJson } from '../client/http.ts';
import { withClientOptions } from '../client/options.ts';
import { print, printJson } from '../output/print.ts';
import { table } from '../output/table.ts';

type MessageTrace = Answer<'message'>;
type TargetTrace = MessageTrace['targets'][number];

/** `magpie trace`: every hop of a message. */
export function addTrace(program: Command): void {
  withClientOptions(program.command('trace'))
    .description('show every hop of a message: received, stored, and its outcome at each target')
    .argument('<ref>', 'ref of the message, as publish prints it')
    .option('--json', 'print JSON')
    .action(trace);
}

async function trace(ref: string, { json, ...options }: ClientOptions & { readonly json?: true }): Promise<void> {
  const message = await getJson(options, `/v1/messages/${encodeURIComponent(ref)}`, ANSWERS.message);
  if (json) printJson(message);
  else print(timeline(message));
}

/** States of a delivery that has not ended. */
const OPEN: ReadonlySet<TargetTrace['state']> = new Set(['waiting', 'in-flight', 'held', 'blocked']);

/** The hops of a message in order of time, open deliveries last. `+` counts from its receipt. */
export function timeline({ position, event, targets }: MessageTrace): string {
  const start = Date.parse(event.receivedAt);
  const [open, ended] = [
    targets.filter(({ state }) => OPEN.has(state)),
    targets.filter(({ state }) => !OPEN.has(state)),
  ];
  const timed = [...targets.flatMap(failuresOf), ...ended.map((target) => [target.at ?? '', ...hopOf(target)])];
  const rows = [
    [event.time, event.source, 'sent', `at ${event.address}`],
    [event.receivedAt, event.source, 'received', `ref ${event.ref}`],
    // The log stores only the time of receipt.
    [event.receivedAt, 'log', 'stored', `position ${position}`],
    ...timed.toSorted(([a = ''], [b = '']) => a.localeCompare(b)),
    ...open.map((target) => ['', ...hopOf(target)]),
    ...(event.expiresAt === undefined || open.length === 0
      ? []
      : [[event.expiresAt, '', 'expires', 'not delivered after this time']]),
  ];
  const shown = rows.map(([at = '', ...rest]) => [at, since(start, at), ...rest]);
  return table(['TIME', '+', 'HOP', 'STATE', 'DETAIL'], shown) + (targets.length > 0 ? '' : 'No route matched it.\n');
}

const hopOf = (target: TargetTrace): readonly string[] => [target.consumer, target.state, detailOf(target)];

/** Attempts that were refused. */
const failuresOf = ({ consumer, failures = [] }: TargetTrace): readonly (readonly string[])[] =>
  failures.map(({ at, message }, index) => [at, consumer, 'refused', `attempt ${index + 1}: ${message}`]);

function since(start: number, at: string): string {
  if (at === '') return '';
  const ms = Date.parse(at) - start;
  const text = Math.abs(ms) < 1000 ? `${Math.abs(ms)}ms` : `${(Math.abs(ms) / 1000).toFixed(1)}s`;
  return `${ms < 0 ? '-' : '+'}${text}`;
}

function detailOf({ attempts, confirmedBy, nextAttempt, error }: TargetTrace): string {
  const parts = [
    confirmedBy === undefined ? '' : `by ${confirmedBy}`,
    attempts === 0 ? '' : `${attempts} attempt${attempts === 1 ? '' : 's'}`,
    error ?? '',
    nextAttempt === undefined ? '' : `next try ${nextAttempt}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}
