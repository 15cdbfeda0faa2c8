import { ANSWERS, type Answer } from '@magpie/api';
import { visible } from '@magpie/schema-messages';
import type { Command } from 'commander';
import { type ClientOptions, postJson } from '../client/http.ts';
import { withClientOptions } from '../client/options.ts';
import { print, printJson } from '../output/print.ts';

interface ReloadOptions extends ClientOptions {
  readonly dryRun?: true;
  readonly json?: true;
}

/** `magpie reload`: makes a running gateway reload its configuration. */
export function addReload(program: Command): void {
  withClientOptions(program.command('reload'))
    .description('make a running gateway reload its configuration file, and show what changed')
    .option('--dry-run', 'only show what would change')
    .option('--json', 'print JSON')
    .action(reload);
}

async function reload({ dryRun, json, ...options }: ReloadOptions): Promise<void> {
  const report = await postJson(options, `/v1/config/reload${dryRun ? '?dryRun=true' : ''}`, undefined, ANSWERS.reload);
  if (json) printJson(report);
  else print(describeReloaded(report));
}

/** What a reload did, or would do, one line per change. */
export function describeReloaded({ applied, revision, connections, targets, ...rest }: Answer<'reload'>): string {
  const lines = [
    applied
      ? `revision ${revision} is in force`
      : `revision ${revision} stays in force; a reload would make these changes:`,
    ...connections.added.map((name) => `  + connection ${name}`),
    ...connections.changed.map((name) => `  ~ connection ${name}`),
    ...connections.removed.map((name) => `  - connection ${name}`),
    ...targets.added.map((name) => `  + target ${name}`),
    ...targets.removed.map((name) => `  - target ${name}`),
    `  untouched: ${connections.unchanged.length} connections, ${targets.kept} targets`,
    ...rest.orphans
      .filter(({ backlog }) => backlog)
      .map(({ consumer, keptUntil }) => `  ! the backlog of the removed target ${consumer} is kept until ${keptUntil}`),
    ...rest.restartNeeded.map((key) => `  ! ${key} takes effect after a restart`),
  ];
  return `${lines.map(visible).join('\n')}\n`;
}
