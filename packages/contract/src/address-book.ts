import type { Address, AddressScheme } from './address.ts';
import { addressToText } from './address-text.ts';
import { Rejected } from './errors.ts';

/** All address schemes the gateway knows, for turning addresses into text and back. Pure after construction. */
export interface AddressBook {
  /** The scheme of that name, or undefined. */
  scheme(name: string): AddressScheme | undefined;
  /** `topic:plant/p7/alarm`; an unknown scheme is written as `addressToText` does. */
  format(address: Address): string;
  /** The inverse of `format`. Throws `Rejected` when the text has no scheme, an unknown one, or garbage after it. */
  parse(text: string): Address;
}

/** Collects schemes; two adapters may share a scheme name (the first definition counts). */
export function createAddressBook(schemes: Iterable<AddressScheme>): AddressBook {
  const byName = new Map<string, AddressScheme>();
  for (const scheme of schemes) if (!byName.has(scheme.scheme)) byName.set(scheme.scheme, scheme);
  return {
    scheme: (name) => byName.get(name),
    format: (address) => {
      const known = byName.get(address.scheme);
      return known ? `${address.scheme}:${known.format(address.segments)}` : addressToText(address);
    },
    parse: (text) => {
      const colon = text.indexOf(':');
      const name = colon < 0 ? text : text.slice(0, colon);
      const scheme = byName.get(name);
      if (colon < 0 || !scheme) {
        const known = [...byName.keys()].map((key) => `${key}:…`).join(', ');
        throw new Rejected(`"${text}" is not an address: expected one of ${known}`);
      }
      return { scheme: name, segments: scheme.parse(text.slice(colon + 1)) };
    },
  };
}
