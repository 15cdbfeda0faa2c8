/** Longest text that is kept, in bytes. */
const LONGEST = 64;
const PLACES = 1024;

interface Known {
  readonly bytes: Buffer;
  readonly text: string;
}

/**
 * Caches texts that recur, such as addresses and header names, to save decoding. Each slot keeps its latest text, so
 * memory is bounded and a hostile sender can only make the cache useless. One per reader of a link.
 */
export class TextCache {
  readonly #places = new Array<Known | undefined>(PLACES).fill(undefined);

  /** The text of the UTF-8 bytes from `from` to before `to`. */
  read(bytes: Buffer, from: number, to: number): string {
    if (to - from > LONGEST) return bytes.toString('utf8', from, to);
    let hash = to - from;
    for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const place = hash & (PLACES - 1);
    const known = this.#places[place];
    if (known && isSame(known.bytes, bytes, from, to)) return known.text;
    const text = bytes.toString('utf8', from, to);
    this.#places[place] = { bytes: Buffer.from(bytes.subarray(from, to)), text };
    return text;
  }
}

function isSame(known: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[from + at]) return false;
  return true;
}
