declare global {
  interface JSON {
    /** A primitive that `JSON.stringify` writes as this text (ECMAScript, JSON.parse source text access). Throws `SyntaxError`. */
    rawJSON(text: string): object;
  }
}

/**
 * A JSON number that no double holds: `1724442618569203714`, `1e400`, `21.300000000000001`. It keeps the digits as they were
 * written, and `JSON.stringify` writes the same ones. Made by `exactNumber` and `parseJson`.
 */
export class JsonNumber {
  /** The number as RFC 8259, section 6 writes it. */
  readonly digits: string;

  /** `digits` must be a JSON number; `exactNumber` checks whether it needs this class at all. */
  constructor(digits: string) {
    this.digits = digits;
  }

  /** Called by `JSON.stringify`. */
  toJSON(): object {
    return JSON.rawJSON(this.digits);
  }

  toString(): string {
    return this.digits;
  }
}

/** Doubles hold every decimal of so many digits, unless its exponent is extreme. */
const SAFE_DIGITS = 15;

/**
 * Whether a double holds the value of a JSON number, so that it is written again with the same value: `5.0` and `1e3` are
 * fine, `1e400`, `0.1e-400` and most numbers of more than 15 digits are not.
 */
export function isExact(digits: string): boolean {
  if (digits.length <= SAFE_DIGITS && !/e/i.test(digits)) return true;
  const number = Number(digits);
  const written = String(number);
  if (written === digits) return true;
  // Integers below 1e21 have one spelling only.
  if (/^-?[1-9]\d{0,20}$/.test(digits)) return false;
  return Number.isFinite(number) && normalForm(digits) === normalForm(written);
}

/** A JSON number as a double where that changes nothing, else with its digits. */
export const exactNumber = (digits: string): number | JsonNumber =>
  isExact(digits) ? Number(digits) : new JsonNumber(digits);

/** One spelling for all spellings of a decimal: its digits without zeros at either end, and the exponent of the last one. */
function normalForm(digits: string): string {
  const [mantissa = '', exponent = '0'] = digits.toLowerCase().split('e');
  const negative = mantissa.startsWith('-');
  const [whole = '', fraction = ''] = mantissa.slice(negative ? 1 : 0).split('.');
  const all = whole + fraction;
  let start = 0;
  let end = all.length;
  while (all[start] === '0') start++;
  while (end > start && all[end - 1] === '0') end--;
  if (start === end) return '0';
  return `${negative ? '-' : ''}${all.slice(start, end)}e${Number(exponent) - fraction.length + all.length - end}`;
}

/** Digits of the largest integers of 64 bits. */
const MOST_DIGITS = 20;

/** The integer of 64 bits, signed or unsigned, that a JSON number is equal to; undefined when there is none. */
export function integerOf(digits: string): bigint | undefined {
  const [coefficient = '', exponent = '0'] = normalForm(digits).split('e');
  const zeros = Number(exponent);
  if (zeros < 0 || coefficient.length + zeros > MOST_DIGITS + 1) return undefined;
  const integer = BigInt(coefficient + '0'.repeat(zeros));
  return integer === BigInt.asIntN(64, integer) || integer === BigInt.asUintN(64, integer) ? integer : undefined;
}
