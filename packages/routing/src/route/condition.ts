import { Rejected } from '@magpie/contract';
import type { Expression, Language, Scope } from '../expression/expression.ts';
import type { Report } from '../report.ts';

/** An expression that is true or false for an event. */
export interface Condition {
  /** Throws `Rejected` when it fails, or is neither. */
  holds(scope: Scope): boolean;
  readonly expression: Expression;
}

/** Compiles a condition; undefined after reporting, also when it can be seen to be none. */
export function compileCondition(source: string, language: Language, report: Report): Condition | undefined {
  const expression = language.compile(source, report);
  if (expression === undefined) return undefined;
  const { type } = expression;
  if (type !== 'bool' && type !== 'dyn') {
    const hint = 'a condition compares something, as in payload.severity >= 3';
    return void report.error(`expected a condition (bool), got an expression of type ${type}`, { hint });
  }
  return {
    expression,
    holds: (scope) => {
      const result = expression.evaluate(scope);
      if (typeof result === 'boolean') return result;
      throw new Rejected(`${report.pointer}: "${expression.source}" is ${typeof result}, not true or false`);
    },
  };
}
