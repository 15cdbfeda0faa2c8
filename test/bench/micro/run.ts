import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { thisMachine } from '../report/machine.ts';
import type { Case, Group } from './case.ts';
import { type Effort, measureCase } from './measure.ts';
import type { CaseResult, GroupResult } from './report/results.ts';
import { caseLine } from './report/table.ts';

/** What a run tells while it lasts. */
export interface Listener {
  progress(sentence: string): void;
  /** A group is done. */
  done(result: GroupResult): void;
}

/** Measures groups one after the other. A case that fails says so in its row, and the run goes on. */
export async function runGroups(
  groups: readonly Group[],
  effort: Effort,
  listener: Listener,
): Promise<readonly GroupResult[]> {
  const results: GroupResult[] = [];
  for (const [index, group] of groups.entries()) {
    listener.progress(`[${index + 1}/${groups.length}] ${group.name}: ${group.title}`);
    const result = await runGroup(group, effort, listener);
    results.push(result);
    listener.done(result);
  }
  return results;
}

async function runGroup(group: Group, effort: Effort, { progress }: Listener): Promise<GroupResult> {
  const { name, title, note, operation, call = operation, waits = false } = group;
  const cases: CaseResult[] = [];
  const foreign = foreignLoad();
  for (const [index, each] of group.cases.entries()) {
    const result = await runCase(each, effort);
    cases.push(result);
    progress(`  ${index + 1}/${group.cases.length} ${caseLine(result, { operation, waits })}`);
  }
  return {
    ...{ group: name, title, note, operation, call, waits, cases },
    date: new Date().toISOString(),
    machine: thisMachine(),
    versions: versions(),
    foreignCores: foreign(),
  };
}

async function runCase(each: Case, effort: Effort): Promise<CaseResult> {
  const { name, point } = each;
  const place = point ? { name, point } : { name };
  try {
    return { ...place, figures: await measureCase(each, effort) };
  } catch (error) {
    return { ...place, failure: error instanceof Error ? error.message : String(error) };
  }
}

function versions(): Record<string, string> {
  const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const { sqlite } = process.versions;
  return { node: process.version, ...(sqlite ? { SQLite: sqlite } : {}), mitata: devDependencies.mitata ?? 'unknown' };
}

/** Starts to watch; what it returns tells how many cores other processes have used since. */
function foreignLoad(): () => number {
  const before = { all: busy(), own: own(), at: performance.now() };
  return () => Math.max(0, (busy() - before.all - (own() - before.own)) / (performance.now() - before.at));
}

/** CPU time of all processes, ms. */
const busy = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);

/** CPU time of this process, all threads, ms. */
function own(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
