import { type AddressScheme, type AddressWords, percentDecode, percentEncode, Rejected } from '@magpie/contract';

/** Longest queue name, exchange name or routing key in UTF-8 bytes: they are short strings (AMQP 0-9-1, 4.2.5.3). */
export const SHORT_STRING_BYTES = 255;

/** Words of a routing key; the empty key has none, so that `#` matches it and it adds no segment. */
export const keyWords = (routingKey: string): string[] => (routingKey === '' ? [] : routingKey.split('.'));

/** The address of a message consumed from `queue` that was routed by `exchange` with `routingKey`. Called per message. */
export function queueSegments(queue: string, exchange: string, routingKey: string): string[] {
  return exchange === '' ? [queue] : [queue, ...keyWords(routingKey)];
}

/** Queue, and the routing key by which the message came to it: `queue:inbox/plant.pump-7`; as a target only the queue counts. */
export const queueScheme: AddressScheme = namedKeyScheme('queue');

/** Exchange and routing key: `exchange:alarms/plant.pump-7`. */
export const exchangeScheme: AddressScheme = namedKeyScheme('exchange');

/**
 * A scheme of a name and a dotted routing key: segments are the name and the words of the key. In the text form the
 * name's `/` and `%` are percent-encoded, everything after the first `/` is the key as it is.
 */
function namedKeyScheme(word: 'queue' | 'exchange'): AddressScheme {
  return {
    scheme: word,
    words: [word, 'routingKey'],
    split: (words) => [words[word] ?? '', ...keyWords(words.routingKey ?? '')],
    splitPattern: (words) => [words[word] ?? '', ...patternWords(words)],
    join: ([name = '', ...key]) => ({ [word]: name, ...(key.length > 0 ? { routingKey: key.join('.') } : {}) }),
    parse: (value) => parseText(word, value),
    format: ([name = '', ...key]) => percentEncode(name, '/') + (key.length > 0 ? `/${key.join('.')}` : ''),
    wildcard: (segment) => (segment === '*' ? 'one' : segment === '#' ? 'many' : undefined),
    encode: (value) => percentEncode(value.toWellFormed(), '.*#\0'),
    check: ([name = '', ...key]) => checkName(word, name) ?? checkKey(key),
  };
}

/** Without a routing key a pattern takes every key. */
const patternWords = ({ routingKey }: AddressWords): string[] =>
  routingKey === undefined ? ['#'] : keyWords(routingKey);

function parseText(word: string, value: string): string[] {
  const slash = value.indexOf('/');
  const name = percentDecode(slash < 0 ? value : value.slice(0, slash));
  if (name === '')
    throw new Rejected(`"${word}:${value}" is not an address: expected ${word}:name or ${word}:name/routing.key`);
  return [name, ...keyWords(slash < 0 ? '' : value.slice(slash + 1))];
}

function checkName(word: string, name: string): string | undefined {
  if (name === '') return `an empty ${word} name`;
  if (name === '*' || name === '#') return `the wildcard "${name}" as ${word} name`;
  return checkShortString(`${word} name`, name);
}

function checkKey(words: readonly string[]): string | undefined {
  const key = words.join('.');
  if (words.length > 0 && key === '') return 'an empty routing key written as one empty word';
  if (words.some((one) => one.includes('.'))) return 'a separator "." inside a word of the routing key';
  const wildcard = words.find((one) => one === '*' || one === '#');
  if (wildcard !== undefined) return `the wildcard "${wildcard}" in a routing key to send with`;
  return checkShortString('routing key', key);
}

function checkShortString(what: string, value: string): string | undefined {
  const article = what.startsWith('e') ? 'an' : 'a';
  if (value.includes('\0')) return `a NUL character in the ${what}`;
  if (!value.isWellFormed()) return `a lone surrogate in the ${what}`;
  const bytes = Buffer.byteLength(value);
  return bytes > SHORT_STRING_BYTES
    ? `${article} ${what} of ${bytes} bytes, more than ${SHORT_STRING_BYTES}`
    : undefined;
}
