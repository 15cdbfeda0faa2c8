import type { Environment } from '@marcbachmann/cel-js';
import { isRecord, type Report } from '../report.ts';
import type { SourceEnvironment } from './environment.ts';
import { EVENT_FIELDS } from './environment.ts';
import { createLanguage, type Expression, type Language, type Scope } from './expression.ts';
import { checkName } from './names.ts';
import { expressionConstant } from './numbers.ts';

/** Captures of a route: a text, or (the tail of an address) a list of texts. */
export type CaptureTypes = ReadonlyMap<string, 'string' | 'list<string>'>;

/** A `let` value: an expression, or a mapping or list with expressions as leaves. */
interface Let {
  readonly name: string;
  readonly names: ReadonlySet<string>;
  evaluate(scope: Scope): unknown;
}

/**
 * The language of one route: the event, the captures and the `let` names, each of which may use the ones before it. A
 * `let` value is computed when an expression first needs it, once per scope. Reports what is wrong with names and values.
 */
export function createRouteLanguage(
  source: SourceEnvironment,
  captures: CaptureTypes,
  lets: unknown,
  report: Report,
): Language {
  const typed = source.evaluation !== source.environment;
  let environment = source.environment.clone();
  let evaluation = typed ? source.evaluation.clone() : environment;
  const fields = [...Object.keys(EVENT_FIELDS), ...fieldNames(source.origin.type), ...fieldNames(source.payload?.type)];
  for (const [name, type] of captures) {
    environment.registerVariable(name, type);
    if (typed) evaluation.registerVariable(name, type);
  }
  const known = new Map<string, Let>();
  for (const [name, value] of Object.entries(isRecord(lets) ? lets : {})) {
    const place = report.at('let', name);
    if (!checkName(name, 'let', environment, place)) continue;
    const compiled = compileLet(value, withLets(createLanguage({ environment, evaluation }, fields), known), place);
    if (compiled === undefined) continue;
    environment = declare(environment, name, compiled.type);
    evaluation = typed ? declare(evaluation, name, 'dyn') : environment;
    known.set(name, { name, names: compiled.names, evaluate: compiled.evaluate });
  }
  return withLets(createLanguage({ environment, evaluation }, fields), known);
}

const fieldNames = (type: unknown): string[] => (isRecord(type) ? Object.keys(type) : []);

/** A type with open parameters (`list<T>` of an empty list) cannot be declared; the value itself can tell. */
function declare(environment: Environment, name: string, type: string): Environment {
  const open = /\b[A-Z]\b/.test(type);
  return environment.clone().registerVariable(name, open ? 'dyn' : type);
}

interface CompiledLet extends Pick<Expression, 'type' | 'names' | 'evaluate'> {}

function compileLet(value: unknown, language: Language, report: Report): CompiledLet | undefined {
  if (typeof value === 'string') return language.compile(value, report);
  if (Array.isArray(value)) return compileParts([...value.entries()], language, report, (parts) => parts.map(second));
  if (isRecord(value))
    return compileParts(Object.entries(value), language, report, (parts) => Object.fromEntries(parts));
  const constant = expressionConstant(value);
  return { type: 'dyn', names: new Set(), evaluate: () => constant };
}

const second = ([, value]: readonly [PropertyKey, unknown]): unknown => value;

function compileParts(
  entries: readonly (readonly [PropertyKey, unknown])[],
  language: Language,
  report: Report,
  assemble: (parts: (readonly [PropertyKey, unknown])[]) => unknown,
): CompiledLet | undefined {
  const parts = entries.map(([key, inner]) => [key, compileLet(inner, language, report.at(key))] as const);
  const whole = parts.flatMap(([key, part]) => (part === undefined ? [] : [[key, part] as const]));
  if (whole.length < parts.length) return undefined;
  return {
    type: 'dyn',
    names: new Set(whole.flatMap(([, part]) => [...part.names])),
    evaluate: (scope) => assemble(whole.map(([key, part]) => [key, part.evaluate(scope)] as const)),
  };
}

/** Makes every compiled expression compute the `let` values it mentions before it runs. */
function withLets(language: Language, lets: ReadonlyMap<string, Let>): Language {
  return {
    compile: (source, report, offset) => {
      const expression = language.compile(source, report, offset);
      if (expression === undefined) return undefined;
      const needed = [...expression.names].flatMap((name) => lets.get(name) ?? []);
      if (needed.length === 0) return expression;
      const evaluate = (scope: Scope): unknown => {
        for (const { name, evaluate: compute } of needed) {
          if (!Object.hasOwn(scope, name)) scope[name] = compute(scope);
        }
        return expression.evaluate(scope);
      };
      return { ...expression, evaluate };
    },
  };
}
