import { Rejected } from '@magpie/contract';
import { BeyondBudget } from '../expression/budget.ts';
import type { Expression, Language, Scope } from '../expression/expression.ts';
import { type PlainValue, toPlain, toText, Unrepresentable } from '../expression/values.ts';
import type { Report } from '../report.ts';
import { type Token, tokenize } from './tokens.ts';

/** A literal or an expression of a compiled template. */
export type Piece = string | TemplateExpression;

/** An expression inside a template; its values have left the expression language. */
export interface TemplateExpression {
  readonly expression: Expression;
  /** The value, its kind kept. Throws `Rejected`. */
  value(scope: Scope): PlainValue;
}

/** A string of a route with its `${…}` compiled. */
export interface Template {
  readonly pieces: readonly Piece[];
  /** The text, when there is no expression in it. */
  readonly constant: string | undefined;
  /** The value: of exactly one expression with its kind, else the text. Throws `Rejected`. */
  value(scope: Scope): PlainValue;
  /** Always text; see `toText`. Throws `Rejected`. */
  text(scope: Scope): string;
}

/** Compiles a template; undefined after reporting what is wrong. */
export function compileTemplate(source: string, language: Language, report: Report): Template | undefined {
  const tokens = tokenize(source);
  if (!('length' in tokens)) {
    const hint = 'write $${ for a literal ${';
    return void report.error('"${" without its closing "}"', { range: tokens, hint });
  }
  const pieces = tokens.map((token) => compileToken(token, language, report));
  const whole = pieces.filter((piece) => piece !== undefined);
  return whole.length === pieces.length ? createTemplate(whole) : undefined;
}

/** Whether a string has any `${…}` in it. Also true for a broken one, which then is reported. */
export const isTemplate = (value: string): boolean => {
  const tokens = tokenize(value);
  return !('length' in tokens) || tokens.some((token) => token.type === 'expression');
};

function compileToken(token: Token, language: Language, report: Report): Piece | undefined {
  if (token.type === 'text') return token.value.toWellFormed();
  const range = { start: token.start - 2, end: token.start + token.source.length + 1 };
  const reference = /^\s*(env|file):/.exec(token.source)?.[1];
  if (reference !== undefined) {
    const hint = `put the value into the connection, or write $\${${reference}:…} if the text itself is meant`;
    const message = `\${${reference}:…} is resolved only under "connections" and "http", never in routes`;
    return void report.error(message, { range, hint });
  }
  const expression = language.compile(token.source, report, token.start);
  return expression === undefined ? undefined : toTemplateExpression(expression, report.pointer);
}

/** Wraps an expression so that its results leave the language, or are refused with the place. */
function toTemplateExpression(expression: Expression, pointer: string): TemplateExpression {
  const where = `${pointer}: "${expression.source}"`;
  return {
    expression,
    value: (scope) => {
      const result = expression.evaluate(scope);
      if (expression.variable === 'payload' && scope.$hasPayload === false) {
        throw new Rejected(
          `${where}: there is no payload to take over: the body is not JSON: ${String(scope.$whyNoPayload)}`,
        );
      }
      try {
        return toPlain(result);
      } catch (error) {
        if (!(error instanceof Unrepresentable) && !(error instanceof BeyondBudget)) throw error;
        throw new Rejected(`${where}: ${error.message}`, { cause: error });
      }
    },
  };
}

function createTemplate(pieces: readonly Piece[]): Template {
  const constant = pieces.every((piece) => typeof piece === 'string') ? pieces.join('') : undefined;
  if (constant !== undefined) return { pieces, constant, value: () => constant, text: () => constant };
  const [only] = pieces;
  const text = (scope: Scope): string =>
    pieces.map((piece) => (typeof piece === 'string' ? piece : toText(piece.value(scope)))).join('');
  const single = pieces.length === 1 && typeof only === 'object' ? only : undefined;
  return { pieces, constant, text, value: single === undefined ? text : single.value };
}
