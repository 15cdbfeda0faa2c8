import type { Header } from '@magpie/contract';

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
