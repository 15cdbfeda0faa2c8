import { type AddressScheme, pathScheme, percentEncode } from '@magpie/contract';
import { illegalText } from './text.ts';

const MAX_TOPIC_BYTES = 65_535;

const path = pathScheme({
  scheme: 'topic',
  word: 'topic',
  separator: '/',
  one: '+',
  many: '#',
  maxBytes: MAX_TOPIC_BYTES,
});

/** Control characters are legal in MQTT, but brokers may close the link over them: they are escaped like wildcards. */
const CONTROL = String.fromCharCode(...range(0, 0x20), ...range(0x7f, 0xa0));
const SPECIAL = `/+#${CONTROL}`;

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Topics: `topic:plant/p7/alarm`. */
export const topicAddress: AddressScheme = {
  ...path,
  encode: (value) => percentEncode(value.toWellFormed(), SPECIAL),
  check: (segments) => path.check(segments) ?? checkName(segments),
};

function checkName(segments: readonly string[]): string | undefined {
  if (segments[0]?.startsWith('$')) return 'a leading "$" (topics of the broker itself, MQTT 5 section 4.7.2)';
  return segments.some(illegalText) ? 'a control or unassigned character in the topic' : undefined;
}

/** The mistake in a topic filter of a route, as a sentence; undefined when it is valid. May contain `{captures}`. */
export function wrongFilter(filter: string): string | undefined {
  if (filter === '') return 'an empty topic';
  if (filter.startsWith('$share/')) return 'shared subscriptions ($share/…) are not supported: name the filter alone';
  if (illegalText(filter)) return 'a control or unassigned character in the topic';
  if (Buffer.byteLength(filter) > MAX_TOPIC_BYTES) return `a topic of more than ${MAX_TOPIC_BYTES} bytes`;
  const levels = filter.split('/');
  const many = levels.indexOf('#');
  if (many >= 0 && many < levels.length - 1) return 'a "#" before the end: it may only be the last level';
  const mixed = levels.find((level) => level.length > 1 && /[+#]/.test(level));
  return mixed === undefined ? undefined : `"${mixed}": a wildcard must be a whole level`;
}
