import { problemsToJson, renderProblems } from '@magpie/config';
import type { RouteGuarantee, RouteTestResult } from '@magpie/routing';
import { firstProblems, type Problem, visible } from '@magpie/schema-messages';
import type { Command } from 'commander';
import { ADAPTERS } from '../../adapters.ts';
import { type Compiled, compileFile, testProblems } from '../../config/compile.ts';
import { type JUnitCase, toJUnit } from '../output/junit.ts';
import { print } from '../output/print.ts';
import { table } from '../output/table.ts';

interface CheckOptions {
  readonly junit?: true;
  readonly json?: true;
}

/** `magpie check`: validates a file, runs the routes' own tests and shows what each route guarantees and loses. */
export function addCheck(program: Command): void {
  program
    .command('check')
    .description('validate a configuration, run its route tests, show the guarantee of each route')
    .argument('<file>', 'configuration file')
    .option('--junit', 'print a JUnit XML report')
    .option('--json', 'print problems, tests and guarantees as JSON')
    .action(check);
}

function check(path: string, { junit, json }: CheckOptions): void {
  const compiled = compileFile(ADAPTERS, { path });
  const tests = compiled.routes?.test() ?? [];
  const guarantees = compiled.routes?.guarantees() ?? [];
  const problems = firstProblems([...compiled.problems, ...testProblems(tests)]);
  if (junit) print(toJUnit(path, junitCases(compiled, tests)));
  else if (json) print(asJson(problems, compiled, tests, guarantees));
  else print(report(path, problems, compiled, tests, guarantees));
  if (problems.some(({ severity }) => severity === 'error')) process.exitCode = 1;
}

function report(
  path: string,
  problems: readonly Problem[],
  { source }: Compiled,
  tests: readonly RouteTestResult[],
  guarantees: readonly RouteGuarantee[],
): string {
  const isLossy = guarantees.some(({ unsaid }) => unsaid.length > 0);
  const rows = guarantees.map(({ route, consumer, guarantee, unsaid }) => [
    route,
    consumer.slice(route.length + 1),
    guarantee.level,
    ...(isLossy ? [unsaid.length === 0 ? '-' : unsaid.join(', ')] : []),
    guarantee.reason,
  ]);
  const head = ['ROUTE', 'TARGET', 'GUARANTEE', ...(isLossy ? ['LOSSY FOR'] : []), 'BECAUSE'];
  const parts = [
    problems.length > 0 ? renderProblems(problems, source) : '',
    rows.length > 0 ? table(head, rows) : '',
    summary(path, problems, tests, guarantees),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function summary(
  path: string,
  problems: readonly Problem[],
  tests: readonly RouteTestResult[],
  guarantees: readonly RouteGuarantee[],
): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  const passed = tests.filter(({ failure }) => failure === undefined).length;
  const routes = new Set(guarantees.map(({ route }) => route)).size;
  const verdict = errors > 0 ? `${errors} error${errors === 1 ? '' : 's'}` : 'ok';
  return `${visible(path)}: ${verdict}, ${warnings} warning${warnings === 1 ? '' : 's'}; ${routes} routes, ${guarantees.length} targets, ${passed} of ${tests.length} route tests passed`;
}

function junitCases({ problems, source }: Compiled, tests: readonly RouteTestResult[]): readonly JUnitCase[] {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const failure = errors.length > 0 ? { failure: renderProblems(errors, source) } : {};
  const cases = tests.map(({ route, name, failure: why }) => ({
    classname: route,
    name,
    ...(why === undefined ? {} : { failure: why }),
  }));
  return [{ classname: 'configuration', name: 'is valid', ...failure }, ...cases];
}

const asJson = (
  problems: readonly Problem[],
  { source }: Compiled,
  tests: readonly RouteTestResult[],
  guarantees: readonly RouteGuarantee[],
): string => JSON.stringify({ problems: problemsToJson(problems, source), tests, guarantees }, null, 2);
