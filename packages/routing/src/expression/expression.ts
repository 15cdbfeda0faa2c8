import { errorMessage, isExact, Rejected } from '@magpie/contract';
import { didYouMean } from '@magpie/schema-messages';
import {
  type ASTNode,
  type Environment,
  EvaluationError,
  ParseError,
  type ParseResult,
  TypeError as TypeCheckError,
} from '@marcbachmann/cel-js';
import type { Report } from '../report.ts';
import { namesIn, nestedTooDeep, nodesOf, operandsOf, type Range, repeatedLists } from './ast.ts';
import { STEPS_PER_EVENT, withinSteps } from './budget.ts';
import { EXACT_JSON } from './environment.ts';
import { meter } from './metering.ts';
import { pointerTo, UnusableNumber } from './numbers.ts';
import { checkPattern, LINEAR_MATCH } from './regular-expressions.ts';

/**
 * Values of the variables, by name. Getters and prototypes are allowed; only declared names are read. One scope belongs
 * to one route and one event; `let` values are added as they are first needed.
 */
export type Scope = Record<string, unknown>;

/** A checked expression. Pure; evaluated per event. */
export interface Expression {
  readonly source: string;
  /** Name of its static type; `dyn` when only the value can tell. */
  readonly type: string;
  /** Set when the expression is nothing but this variable. */
  readonly variable?: string;
  /** Variables it mentions. */
  readonly names: ReadonlySet<string>;
  /** Where in `source` the values stand that it is about, for explanations. */
  readonly operands: readonly Range[];
  /** Its value in the language's own types. Throws `Rejected` naming the place, the expression and what is wrong. */
  evaluate(scope: Scope): unknown;
}

/** Compiles expressions against one set of declared variables. */
export interface Language {
  /**
   * Parses and checks `source`, which stands at `offset` in the scalar that `report` points to. Undefined after reporting
   * what is wrong.
   */
  compile(source: string, report: Report, offset?: number): Expression | undefined;
}

/** Longest expression in characters. */
const MAX_LENGTH = 4096;
/** Loops inside loops: with a third level a 1 MiB list could keep the process busy for hours. */
const MAX_NESTING = 2;

/** Where expressions are checked at load, and where they are evaluated: often the same. */
export interface Environments {
  readonly environment: Environment;
  readonly evaluation: Environment;
}

/** A language over the variables of its environments; `fields` are names to suggest for misspelt ones. */
export function createLanguage({ environment, evaluation }: Environments, fields: readonly string[]): Language {
  return {
    compile: (source, report, offset = 0) => {
      const place: Place = { report, offset, source };
      const checked = compileIn(environment, place, fields);
      if (checked !== undefined) warnOfRepetition(checked.run.ast, place);
      if (checked === undefined || evaluation === environment) return checked && createExpression(checked, place);
      const evaluated = compileIn(evaluation, place, fields);
      return evaluated && createExpression({ ...evaluated, type: checked.type }, place);
    },
  };
}

/** An expression that was parsed and checked in an environment. */
interface Checked {
  readonly run: ParseResult;
  readonly type: string;
}

function compileIn(environment: Environment, place: Place, fields: readonly string[]): Checked | undefined {
  const run = parse(environment, place);
  if (run === undefined || !withinLimits(run.ast, place)) return undefined;
  const { error, type = 'dyn' } = run.check();
  if (error === undefined) return { run, type };
  const range = shift(error.range, place);
  return void place.report.error(error.summary, { range, hint: hintFor(error, environment, fields) });
}

interface Place {
  readonly report: Report;
  readonly offset: number;
  readonly source: string;
}

const shift = (range: Range | undefined, { offset, source }: Place): Range => ({
  start: offset + (range?.start ?? 0),
  end: offset + Math.max(range?.end ?? source.length, (range?.start ?? 0) + 1),
});

function parse(environment: Environment, place: Place): ParseResult | undefined {
  const { source, report } = place;
  if (source.trim() === '') return void report.error('an empty expression', { range: shift(undefined, place) });
  if (source.length > MAX_LENGTH) {
    const message = `an expression of ${source.length} characters, more than ${MAX_LENGTH}`;
    return void report.error(message, { hint: 'split it with "let"' });
  }
  try {
    return environment.parse(source);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return void report.error(error.summary, { range: shift(error.range, place), hint: syntaxHint(place, error.range) });
  }
}

/** Hints for the syntax of other languages. */
function syntaxHint({ source }: Place, range: Range | undefined): string | undefined {
  const at = source.slice(range?.start ?? 0);
  if (/^=(?!=)/.test(at)) return 'compare with ==';
  if (/^&(?!&)|^and\b/.test(at)) return 'write && for "and"';
  if (/^\|(?!\|)|^or\b/.test(at)) return 'write || for "or"';
  return /^not\b/.test(source.trim()) ? 'write ! for "not"' : undefined;
}

/**
 * Reports nesting and regular expressions that could stall the gateway, and literals that would become other numbers; puts
 * functions of our own in the place of those of the language that are not linear or not exact.
 */
function withinLimits(ast: ASTNode, place: Place): boolean {
  const { report } = place;
  const deep = nestedTooDeep(ast, MAX_NESTING);
  if (deep !== undefined) {
    const message = `loops (all, exists, map, filter) are nested more than ${MAX_NESTING} deep`;
    report.error(message, { range: shift(deep.range, place), hint: 'split the expression with "let"' });
    return false;
  }
  return [...nodesOf(ast)].every((node) => checkLiteral(node, place) && replaceCalls(node, place));
}

/** Warns of lists whose lengths are multiplied: their sender decides whether the steps of an event suffice. */
function warnOfRepetition(ast: ASTNode, place: Place): void {
  for (const list of repeatedLists(ast)) {
    const written = place.source.slice(list.start, list.end);
    const message = `"${written}" is gone through again for each element of another list: when both are long, the ${STEPS_PER_EVENT} steps that expressions have for one event do not suffice, and its deliveries are rejected`;
    const hint = 'compare with a fixed list or a map, or let the sender put what belongs together into one list';
    place.report.warn(message, { range: shift(list.range, place), hint });
  }
}

function checkLiteral(node: ASTNode, place: Place): boolean {
  if (node.op !== 'value' || typeof node.args !== 'number') return true;
  const written = node.input.slice(node.start, node.end);
  if (!/^[\d.]+(?:[eE][-+]?\d+)?$/.test(written) || isExact(written)) return true;
  const range = shift(node.range, place);
  place.report.error(`${written} would become ${node.args}: no double holds it`, { range, hint: 'write fewer digits' });
  return false;
}

function replaceCalls(node: ASTNode, place: Place): boolean {
  if (node.op !== 'rcall') return true;
  if (node.args[0] === 'json' && node.args[2].length === 0) node.args[0] = EXACT_JSON;
  if (node.args[0] !== 'matches') return true;
  const pattern = node.args[2][0];
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    const range = shift((pattern ?? node).range, place);
    place.report.error('matches() needs its pattern as a literal, so that it can be checked at load', { range });
    return false;
  }
  const wrong = checkPattern(pattern.args);
  if (wrong !== undefined) {
    const hint = 'the syntax is that of RE2: no backreferences and no lookaround';
    place.report.error(`not a usable regular expression: ${wrong}`, { range: shift(pattern.range, place), hint });
    return false;
  }
  node.args[0] = LINEAR_MATCH;
  return true;
}

/** What was probably meant by a name that does not exist. */
function hintFor(
  error: ParseError | TypeCheckError,
  environment: Environment,
  fields: readonly string[],
): string | undefined {
  const { variables, functions } = environment.getDefinitions();
  const missing = /^(?:Unknown variable|No such key): (.+)$/.exec(error.summary)?.[1];
  if (missing !== undefined) {
    const values = variables.filter(({ type }) => type !== 'type' && !type.endsWith('Namespace'));
    return didYouMean(missing, [...values.map(({ name }) => name), ...fields]);
  }
  const called = /overload for '(?:.*\.)?(\w+)\(/.exec(error.summary)?.[1];
  return called === undefined ? undefined : didYouMean(called, new Set(functions.map(({ name }) => name)));
}

function createExpression({ run, type }: Checked, place: Place): Expression {
  const { ast } = run;
  const names = namesIn(ast);
  const evaluate = meter(ast) ? withinBudget(run) : run;
  return {
    source: place.source,
    type,
    ...(ast.op === 'id' ? { variable: ast.args } : {}),
    names,
    operands: operandsOf(ast),
    evaluate: (scope) => {
      try {
        return evaluate(scope);
      } catch (error) {
        throw failure(error, place, names.has('payload') ? scope : undefined);
      }
    },
  };
}

/** Evaluation within the step budget, without stack traces: a loop may make an error per element and drop it. */
const withinBudget =
  (run: ParseResult) =>
  (scope: Scope): unknown => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return withinSteps<unknown>(() => run(scope));
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };

/** An evaluation error as a permanent refusal, with the place in the configuration; `scope` when it is about a payload. */
function failure(error: unknown, place: Place, scope: Scope | undefined): Rejected {
  const known = error instanceof EvaluationError || error instanceof TypeCheckError;
  const { start, end } = shift(known ? error.range : undefined, place);
  const summary = known ? error.summary : errorMessage(error);
  const where = `${place.report.pointer}, characters ${start + 1} to ${end}`;
  const message = `${where}: "${place.source}" failed: ${summary}`;
  return new Rejected(message + adviceFor(error, summary, scope), { cause: error });
}

function adviceFor(error: unknown, summary: string, scope: Scope | undefined): string {
  if (error instanceof UnusableNumber) {
    const pointer = pointerTo(error.number, scope?.payload);
    return pointer === undefined ? '' : ` (in the payload at "${pointer}")`;
  }
  const key = /^No such key: (.+)$/.exec(summary)?.[1];
  if (key === undefined)
    return summary === 'Unknown variable: text'
      ? ' (the body is text neither in UTF-8 nor in a charset it declares)'
      : '';
  if (scope?.payload === null) return ` (payload is null: the body is not JSON: ${String(scope.$whyNoPayload)})`;
  return ` (use has(…) or .?${key}.orValue(…) for what may be missing)`;
}
