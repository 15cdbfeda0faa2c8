import { exactNumber, integerOf, JsonNumber } from '@magpie/contract';
import { pointerOf } from '@magpie/schema-messages';
import type { Environment } from '@marcbachmann/cel-js';
import type { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { Unrepresentable } from './values.ts';

/** Name of the type of `JsonNumber` in messages of the language. */
const JSON_NUMBER = 'json.number';

/** A number that an expression cannot calculate with. */
export class UnusableNumber extends Error {
  override readonly name = 'UnusableNumber';
  readonly number: JsonNumber;

  constructor(number: JsonNumber) {
    super(`${short(number)} is neither an integer of 64 bits nor a double`);
    this.number = number;
  }
}

const LONGEST = 40;

const short = ({ digits }: JsonNumber): string => (digits.length > LONGEST ? `${digits.slice(0, LONGEST)}…` : digits);

/**
 * A JSON number that no double holds, as expressions see it: an `int` when it is an integer of 64 bits, else with its digits.
 * The latter is passed on digit for digit; calculations take the nearest double of one that is small enough for that to be
 * the rounding that every decimal undergoes, and refuse the others. Called per such number of a payload.
 */
export const expressionNumber = (digits: string): bigint | JsonNumber => integerOf(digits) ?? new JsonNumber(digits);

/** A constant of the configuration as expressions see it. */
export const expressionConstant = (value: unknown): unknown =>
  value instanceof JsonNumber ? expressionNumber(value.digits) : value;

/** The nearest double. Throws `UnusableNumber` when it is another number altogether. */
function nearestDouble(number: JsonNumber): number {
  const double = Number(number.digits);
  if (Math.abs(double) <= Number.MAX_SAFE_INTEGER && (double !== 0 || exactNumber(number.digits) === 0)) return double;
  throw new UnusableNumber(number);
}

/** An integer as a double in a calculation. Throws when it would become another number. */
function toDouble(integer: bigint): number {
  const double = Number(integer);
  if (BigInt(double) === integer) return double;
  throw new Error(`${integer} cannot be calculated with together with a double; make that an int: int(…)`);
}

/** The divisor, when it can be divided by. */
function divisor(value: number): number {
  if (value === 0) throw new Error('division by zero');
  return value;
}

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / divisor(b),
  '%': (a, b) => a % divisor(b),
};

/** JSON numbers are doubles and literals are integers: arithmetic between them, and text built with `+`, must just work. */
export function registerNumbers(environment: Environment): void {
  for (const [operator, apply] of Object.entries(ARITHMETIC)) {
    environment.registerOperator(`int ${operator} double: double`, (a: bigint, b: number) => apply(toDouble(a), b));
    environment.registerOperator(`double ${operator} int: double`, (a: number, b: bigint) => apply(a, toDouble(b)));
  }
  environment.registerOperator('double % double: double', ARITHMETIC['%']!);
  environment.registerOperator('int == double', (a: bigint, b: number) => Number.isInteger(b) && BigInt(b) === a);
  environment.registerType(JSON_NUMBER, JsonNumber);
  registerJsonNumber(environment);
  for (const type of ['int', 'double', 'bool', JSON_NUMBER]) {
    environment.registerOperator(`string + ${type}: string`, (a: string, b: Scalar) => a + scalarText(b));
    environment.registerOperator(`${type} + string: string`, (a: Scalar, b: string) => scalarText(a) + b);
  }
}

type Scalar = bigint | number | boolean | JsonNumber;

/** A number or boolean inside text, written as a template writes it. */
function scalarText(value: Scalar): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Unrepresentable(`${value} is no JSON number`);
  return String(value);
}

/** Any number of the language. */
type Operand = number | bigint | UnsignedInt | JsonNumber;

/** What can be compared with any other number, exactly. */
const comparable = (operand: Operand): number | bigint => {
  if (operand instanceof JsonNumber) return nearestDouble(operand);
  return typeof operand === 'object' ? operand.valueOf() : operand;
};

const calculable = (operand: Operand): number => {
  const value = comparable(operand);
  return typeof value === 'bigint' ? toDouble(value) : value;
};

/** Numbers that kept their digits, in calculations and comparisons. */
function registerJsonNumber(environment: Environment): void {
  const N = JSON_NUMBER;
  for (const [operator, apply] of Object.entries(ARITHMETIC)) {
    const handler = (a: Operand, b: Operand): number => apply(calculable(a), calculable(b));
    for (const other of ['int', 'double']) {
      environment.registerOperator(`${N} ${operator} ${other}: double`, handler);
      environment.registerOperator(`${other} ${operator} ${N}: double`, handler);
    }
    environment.registerOperator(`${N} ${operator} ${N}: double`, handler);
  }
  for (const [operator, compare] of Object.entries(COMPARISONS)) {
    const handler = (a: Operand, b: Operand): boolean => compare(comparable(a), comparable(b));
    for (const other of ['int', 'uint', 'double']) {
      environment.registerOperator(`${N} ${operator} ${other}`, handler);
      environment.registerOperator(`${other} ${operator} ${N}`, handler);
    }
    environment.registerOperator(`${N} ${operator} ${N}`, handler);
  }
  const isEqual = (a: Operand, b: Operand): boolean => {
    const [left, right] = [comparable(a), comparable(b)];
    return left <= right && left >= right; // An integer and a double are never ===.
  };
  for (const other of ['int', 'uint', 'double', N]) environment.registerOperator(`${N} == ${other}`, isEqual);
  environment.registerOperator(`-${N}: double`, (a: JsonNumber) => -nearestDouble(a));
  environment
    .registerFunction(`double(${N}): double`, nearestDouble, { async: false })
    .registerFunction(`int(${N}): int`, (a: JsonNumber) => BigInt(Math.trunc(nearestDouble(a))), { async: false })
    .registerFunction(`string(${N}): string`, ({ digits }: JsonNumber) => digits, { async: false });
}

type Comparable = number | bigint;

const COMPARISONS: Readonly<Record<string, (a: Comparable, b: Comparable) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** JSON pointer of a number in a payload; undefined when it is not there. For error messages only. */
export function pointerTo(number: JsonNumber, payload: unknown): string | undefined {
  if (payload === number) return '';
  if (typeof payload !== 'object' || payload === null) return undefined;
  for (const [key, value] of Object.entries(payload)) {
    const below = pointerTo(number, value);
    if (below !== undefined) return pointerOf([key]) + below;
  }
  return undefined;
}
