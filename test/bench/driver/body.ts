/**
 * Bodies of the generator: JSON of an exact size that begins `{"seq":1000000012,`. The number always has ten digits, so that
 * a packet is encoded once and only its digits change.
 */

/** Bytes before the digits. */
export const SEQUENCE_OFFSET = 7;
/** Digits of a sequence number. */
export const SEQUENCE_DIGITS = 10;
/** What the first message is numbered. */
const FIRST = 1_000_000_000;
/** The smallest body there is. */
export const LEAST_BODY = 80;

/** A body of `size` bytes with the sequence number 0. Throws RangeError below {@link LEAST_BODY}. */
export function templateBody(size: number): Buffer {
  if (size < LEAST_BODY) throw new RangeError(`a body has at least ${LEAST_BODY} bytes, got ${size}`);
  const head = `{"seq":${FIRST},"device":"pump-7","severity":4,"text":"`;
  return Buffer.from(`${head}${'x'.repeat(size - head.length - 2)}"}`);
}

/** Writes the digits of a sequence number at `at`. */
export function writeSequence(bytes: Buffer, at: number, sequence: number): void {
  let left = sequence + FIRST;
  for (let place = at + SEQUENCE_DIGITS - 1; place >= at; place--) {
    const quotient = Math.floor(left / 10);
    bytes[place] = 48 + left - quotient * 10;
    left = quotient;
  }
}

/** Reads the sequence number whose digits begin at `at`; -1 when there are none. */
export function readSequence(bytes: Buffer, at: number): number {
  let value = 0;
  for (let place = at; place < at + SEQUENCE_DIGITS; place++) {
    const digit = (bytes[place] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value - FIRST;
}

const NEEDLE = Buffer.from('seq');

/** What may stand between the word and its digits: nothing but quotes, as JSON, JSON in JSON and XML escape them. */
const MOST_BETWEEN = 10;

/** Most bytes from the start of the word to the last digit. */
export const SEQUENCE_SPAN = NEEDLE.length + MOST_BETWEEN + SEQUENCE_DIGITS;

/**
 * Finds the next sequence number at or after `from`, in JSON, in JSON that is text of other JSON, or in XML. Calls `found`
 * with it and returns where to go on, -1 when there is none.
 */
export function findSequence(bytes: Buffer, from: number, found: (sequence: number) => void): number {
  const word = bytes.indexOf(NEEDLE, from);
  if (word < 0) return -1;
  let at = word + NEEDLE.length;
  const last = at + MOST_BETWEEN;
  while (at < last && !isDigit(bytes[at])) at++;
  const sequence = readSequence(bytes, at);
  if (sequence < 0) return word + 1;
  found(sequence);
  return at + SEQUENCE_DIGITS;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57;
