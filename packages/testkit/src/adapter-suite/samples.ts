import type { Address, Header, TraceContext } from '@magpie/contract';

/** Every byte value, zeros first. */
const allBytes = Uint8Array.from({ length: 256 }, (_, value) => value);

/** Bodies that break careless codecs. */
export const BODIES: readonly Uint8Array[] = [
  Buffer.from('{"plain":"json"}'),
  new Uint8Array(0),
  allBytes,
  Uint8Array.of(0xff, 0xfe, 0x00, 0xc3, 0x28),
  Buffer.from('Füße 漢字 😀 \u0000 \u2028 ]]> <&"\r\n\t'),
  Buffer.alloc(100_000, 0x41),
];

/**
 * Headers that break careless codecs; order counts. Without control characters: some protocols forbid them in headers.
 */
export const HEADERS: readonly Header[] = [
  ['x-plain', 'value'],
  ['X-Case', 'Kept As It Is'],
  ['x-empty', ''],
  ['x-unicode', 'Füße 漢字 😀'],
  ['x-markup', '<&"\'> ]]> {}'],
  ['a name with spaces', 'and = ; , : signs'],
];

/** A reply address of a protocol that no adapter here knows, with everything that could break its text form. */
export const FOREIGN_ADDRESS: Address = { scheme: 'elsewhere', segments: ['a/b', '', 'c d', 'Füße%2F', '#+*?:', '😀'] };

/** A trace as W3C Trace Context has it. */
export const TRACE: TraceContext = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=1',
};

/** Invalid traces; the sender's `tracestate` is dropped together with each. */
export const BAD_TRACEPARENTS: readonly string[] = [
  'junk',
  '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
  'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more',
];
