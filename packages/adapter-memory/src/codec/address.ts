import { type AddressPattern, type AddressScheme, type PatternSegment, pathScheme } from '@magpie/contract';

/** `channel:plant/p7/alarm`, with the wildcards `+` (one segment) and `#` (the rest). */
export const channelScheme: AddressScheme = pathScheme({
  scheme: 'channel',
  word: 'channel',
  separator: '/',
  one: '+',
  many: '#',
  maxBytes: 1024,
});

/** The pattern that a channel filter such as `plant/+/alarm` means. */
export function channelPattern(filter: string): AddressPattern {
  const segments = channelScheme.splitPattern({ channel: filter }).map((value): PatternSegment => {
    const wildcard = channelScheme.wildcard(value);
    return wildcard ? { type: wildcard } : { type: 'literal', value };
  });
  return { scheme: channelScheme.scheme, segments };
}
