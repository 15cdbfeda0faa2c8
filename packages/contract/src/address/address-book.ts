import { Rejected } from '../adapter/errors.ts';
import type { Address, AddressScheme } from './address.ts';
import { addressToText } from './address-text.ts';

/**
 * All address schemes the gateway knows, for turning addresses into text and back. Two protocols may use one scheme name for
 * places of their own: callers that know the type of the connection pass it, without one the first definition counts. Pure
 * after construction.
 */
export interface AddressBook {
  /** The scheme of that name, of this connection type if it is given; undefined when there is none. */
  scheme(name: string, type?: string): AddressScheme | undefined;
  /** `topic:plant/p7/alarm`; an unknown scheme is written as `addressToText` does. Called per received event. */
  format(address: Address, type?: string): string;
  /**
   * The inverse of `format`. Without a type it takes the first scheme of that name which accepts the address.
   * @throws Rejected when the text has no scheme, an unknown one, or garbage after it.
   */
  parse(text: string, type?: string): Address;
  /**
   * The same book for one connection type, whose schemes take precedence over others of the same name. Without a type, or with
   * an unknown one, the book itself. Called per received event.
   */
  forType(type: string | undefined): AddressBook;
}

/** The schemes of one connection type, as an adapter's definition has them. */
export interface TypeSchemes {
  readonly type: string;
  readonly addresses: readonly AddressScheme[];
}

/** Collects the schemes of all adapters. */
export function createAddressBook(adapters: Iterable<TypeSchemes>): AddressBook {
  const list = [...adapters].flatMap(({ type, addresses }) => addresses.map((scheme) => ({ type, scheme })));
  const byName = Map.groupBy(list, ({ scheme }) => scheme.scheme);
  const find = (name: string, type: string | undefined): AddressScheme | undefined => {
    const known = byName.get(name);
    return (type === undefined ? known?.[0] : known?.find((each) => each.type === type))?.scheme;
  };
  const book: AddressBook = {
    scheme: find,
    forType: (type) => byType.get(type ?? '') ?? book,
    format(address, type) {
      const scheme = find(address.scheme, type);
      return scheme ? `${address.scheme}:${scheme.format(address.segments)}` : addressToText(address);
    },
    parse(text, type) {
      const colon = text.indexOf(':');
      const name = colon < 0 ? '' : text.slice(0, colon);
      const known = (byName.get(name) ?? []).filter((each) => type === undefined || each.type === type);
      const [first, ...others] = known.map(({ scheme }) => scheme);
      const value = text.slice(colon + 1);
      if (first) return { scheme: name, segments: accepted([first, ...others], value) ?? first.parse(value) };
      const expected = [...byName.keys()].map((key) => `${key}:…`).join(', ');
      throw new Rejected(`"${text}" is not an address: expected one of ${expected}`);
    },
  };
  const byType = new Map(list.map(({ type }) => [type, preferring(book, type)] as const));
  return book;
}

/** A book whose schemes of one connection type take precedence; all other schemes are found as before. */
function preferring(book: AddressBook, preferred: string): AddressBook {
  const typeFor = (name: string, type: string | undefined): string | undefined =>
    type ?? (book.scheme(name, preferred) ? preferred : undefined);
  return {
    scheme: (name, type) => book.scheme(name, typeFor(name, type)),
    format: (address, type) => book.format(address, typeFor(address.scheme, type)),
    parse: (text, type) => book.parse(text, typeFor(text.slice(0, Math.max(text.indexOf(':'), 0)), type)),
    forType: book.forType,
  };
}

/** The segments of a value by the first of several schemes that takes them as an address to send to. */
function accepted(schemes: readonly AddressScheme[], value: string): string[] | undefined {
  if (schemes.length < 2) return undefined;
  for (const scheme of schemes) {
    try {
      const segments = scheme.parse(value);
      if (scheme.check(segments) === undefined) return segments;
    } catch {
      // Another scheme of that name may know the value; if none does, the first says why.
    }
  }
  return undefined;
}
