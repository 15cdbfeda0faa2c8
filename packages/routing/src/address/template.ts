import { type Address, type AddressScheme, JsonNumber, Rejected } from '@magpie/contract';
import type { Language, Scope } from '../expression/expression.ts';
import { isList as isListValue, type PlainValue, toText } from '../expression/values.ts';
import type { Report } from '../report.ts';
import { compileTemplate, type Piece, type Template, type TemplateExpression } from '../template/template.ts';
import type { NamedPlace } from './words.ts';

/** What the source of the route captures, for values that may go over as they are. */
export interface CapturedPlace {
  readonly scheme: string;
  /** Captures of the address (not of a text pattern). */
  readonly captures: ReadonlyMap<string, 'string' | 'list<string>'>;
}

/** One step of a target address: text with expressions in it, or a captured tail spliced in. */
export type AddressStep =
  | { readonly type: 'segment'; readonly pieces: readonly Piece[] }
  | { readonly type: 'splice'; readonly expression: TemplateExpression; readonly raw: boolean };

/** A compiled target address. */
export interface AddressTemplate {
  readonly scheme: AddressScheme;
  readonly steps: readonly AddressStep[];
  /** The address when there is no expression in it; checked. */
  readonly constant: Address | undefined;
  /** Fills in and checks. Throws `Rejected` when a value cannot be a segment or the scheme refuses the result. */
  render(scope: Scope): Address;
}

/** Private-use characters that stand for the expressions while the scheme splits the words. */
const [OPEN, CLOSE] = ['\uE000', '\uE001'];
const PLACEHOLDER = /\uE000(\d+)\uE001/;

/**
 * Compiles the words of a target. The scheme splits them with every expression as one opaque character sequence, so a
 * value can never add or remove segments. Undefined after reporting.
 */
export function compileAddress(
  { scheme, words }: NamedPlace,
  language: Language,
  source: CapturedPlace,
  report: Report,
): AddressTemplate | undefined {
  const expressions: TemplateExpression[] = [];
  const masked: Record<string, string> = {};
  for (const [word, value] of Object.entries(words)) {
    const place = report.at(word);
    if (value.includes(OPEN!) || value.includes(CLOSE!))
      return void place.error('the characters U+E000 and U+E001 are reserved');
    const template = compileTemplate(value, language, place);
    if (template === undefined) return undefined;
    masked[word] = mask(template, expressions);
  }
  const segments = scheme.split(masked).map((segment) => toPieces(segment, expressions));
  const place = report.at(scheme.words[0]!);
  const steps = segments.map((pieces) => toStep(pieces, scheme, source, place));
  const whole = steps.filter((step) => step !== undefined);
  if (whole.length < steps.length) return undefined;
  return checkedTemplate(scheme, whole, source, place);
}

function mask(template: Template, expressions: TemplateExpression[]): string {
  return template.pieces
    .map((piece) => (typeof piece === 'string' ? piece : OPEN! + (expressions.push(piece) - 1) + CLOSE!))
    .join('');
}

const toPieces = (segment: string, expressions: readonly TemplateExpression[]): Piece[] =>
  segment
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 0 ? part : expressions[Number(part)]!))
    .filter((piece) => piece !== '');

function toStep(
  pieces: readonly Piece[],
  scheme: AddressScheme,
  source: CapturedPlace,
  report: Report,
): AddressStep | undefined {
  const tail = pieces.find((piece) => typeof piece === 'object' && isList(piece));
  if (typeof tail !== 'object') return { type: 'segment', pieces };
  const name = tail.expression.variable;
  if (pieces.length === 1 && name !== undefined && source.captures.get(name) === 'list<string>') {
    return { type: 'splice', expression: tail, raw: source.scheme === scheme.scheme };
  }
  const message = `"${tail.expression.source}" is a list, which fits only a whole segment and only as the captured tail`;
  return void report.error(message, { hint: `join it to one text: ${tail.expression.source}.join("-")` });
}

const isList = ({ expression }: TemplateExpression): boolean => expression.type.startsWith('list');

function checkedTemplate(
  scheme: AddressScheme,
  steps: readonly AddressStep[],
  source: CapturedPlace,
  report: Report,
): AddressTemplate | undefined {
  const render = (scope: Scope): Address => renderAddress(scheme, steps, source, scope, report.pointer);
  if (!steps.every(isConstant)) {
    const wrong = refusedWhatever(scheme, steps, source);
    if (wrong !== undefined) return void report.error(`this address can never be sent to: ${wrong}`);
    return { scheme, steps, constant: undefined, render };
  }
  const segments = steps.map((step) => (step.type === 'segment' ? step.pieces.join('') : ''));
  const wrong = scheme.check(segments);
  if (wrong !== undefined) return void report.error(`not an address to send to: ${wrong}`);
  const constant = { scheme: scheme.scheme, segments };
  return { scheme, steps, constant, render: () => constant };
}

const isConstant = (step: AddressStep): boolean =>
  step.type === 'segment' && step.pieces.every((piece) => typeof piece === 'string');

/** What the scheme refuses although every expression has a harmless value; undefined when some value is fine. */
function refusedWhatever(
  scheme: AddressScheme,
  steps: readonly AddressStep[],
  source: CapturedPlace,
): string | undefined {
  if (steps.some((step) => step.type === 'splice')) return undefined;
  const raw = (piece: Piece): boolean => typeof piece === 'object' && isRaw(piece, scheme, source);
  if (steps.some((step) => step.type === 'segment' && step.pieces.some(raw))) return undefined;
  const sample = (value: string): string | undefined =>
    scheme.check(
      steps.map((step) =>
        step.type === 'segment'
          ? step.pieces.map((piece) => (typeof piece === 'string' ? piece : value)).join('')
          : value,
      ),
    );
  const first = sample('x');
  return first === undefined || sample('1') === undefined ? undefined : first;
}

/** A whole captured segment of the same scheme is a valid segment as it is; anything else is encoded. */
const isRaw = ({ expression }: TemplateExpression, scheme: AddressScheme, source: CapturedPlace): boolean =>
  source.scheme === scheme.scheme && expression.variable !== undefined && source.captures.has(expression.variable);

function renderAddress(
  scheme: AddressScheme,
  steps: readonly AddressStep[],
  source: CapturedPlace,
  scope: Scope,
  pointer: string,
): Address {
  const segments = steps.flatMap((step) => {
    if (step.type === 'splice') return spliced(step.expression.value(scope), step.raw, scheme, pointer);
    return [step.pieces.map((piece) => pieceText(piece, scheme, source, scope, pointer)).join('')];
  });
  const wrong = scheme.check(segments);
  if (wrong === undefined) return { scheme: scheme.scheme, segments };
  throw new Rejected(`${pointer}: the address is refused: ${wrong}`);
}

function spliced(value: PlainValue, raw: boolean, scheme: AddressScheme, pointer: string): string[] {
  if (!isListValue(value)) throw new Rejected(`${pointer}: the captured tail is not a list`);
  return value.map((segment) => (raw ? toText(segment) : scheme.encode(toText(segment))));
}

function pieceText(piece: Piece, scheme: AddressScheme, source: CapturedPlace, scope: Scope, pointer: string): string {
  if (typeof piece === 'string') return piece;
  const value = piece.value(scope);
  if (value === null || (typeof value === 'object' && !(value instanceof JsonNumber))) {
    const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'a map or bytes';
    throw new Rejected(
      `${pointer}: "${piece.expression.source}" is ${got}; an address needs text, a number or a boolean`,
    );
  }
  return isRaw(piece, scheme, source) ? toText(value) : scheme.encode(toText(value));
}
