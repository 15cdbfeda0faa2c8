import { type Header, type HeaderValue, parseJson } from '@magpie/contract';
import { attribute, type Element } from './stanza/element.ts';
import { elementText, textElement } from './stanza/xml-text.ts';

/** Marker for bytes inside a typed value, which JSON cannot hold. */
const BYTES = '$bytes';

/** A header as `<header name="…">text</header>`; other types than text as JSON with `type="json"`. */
export function headerElement([name, value]: Header): Element {
  const plainName = /^[ -~]*$/.test(name);
  const named: Record<string, string> = plainName
    ? { name }
    : { name: Buffer.from(name.toWellFormed()).toString('base64'), 'name-encoding': 'base64' };
  if (typeof value === 'string') return textElement('header', value, named);
  return textElement('header', JSON.stringify(toJson(value)), { ...named, type: 'json' });
}

/** Headers of our element; the gateway limits their number. Never throws: unreadable ones are left out. */
export const headersOf = (event: Element): Header[] =>
  event.getChildren('header').flatMap((element) => {
    const header = readHeader(element);
    return header ? [header] : [];
  });

function readHeader(element: Element): Header | undefined {
  const raw = attribute(element, 'name');
  const text = elementText(element);
  if (raw === undefined || text === undefined) return undefined;
  const name = attribute(element, 'name-encoding') === 'base64' ? Buffer.from(raw, 'base64').toString() : raw;
  if (attribute(element, 'type') !== 'json') return [name, text];
  try {
    return [name, fromJson(parseJson(text, asText))];
  } catch {
    return undefined; // Not ours, or damaged on the way: the message matters more than the header.
  }
}

/** A number that a double cannot hold becomes text in a header. */
const asText = (digits: string): string => digits;

function toJson(value: HeaderValue): unknown {
  if (value instanceof Uint8Array) return { [BYTES]: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(toJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
}

function fromJson(value: unknown): HeaderValue {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === BYTES && typeof first[1] === 'string')
    return Buffer.from(first[1], 'base64');
  return Object.fromEntries(entries.map(([key, inner]) => [key, fromJson(inner)]));
}
