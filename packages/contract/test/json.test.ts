import { describe, expect, it } from 'vitest';
import {
  decodeText,
  encodeBody,
  exactNumber,
  isExact,
  isTooDeep,
  JsonNumber,
  MAX_JSON_DEPTH,
  parseJson,
  parseJsonBody,
  showBody,
  whyNotJson,
} from '../src/index.ts';

/** Numbers that `JSON.parse` changes. */
const INEXACT = [
  '1724442618569203714',
  '-1724442618569203714',
  '9223372036854775807',
  '18446744073709551615',
  '9007199254740993',
  '123456789012345678901234567890',
  '1e400',
  '-1E+400',
  '0.1e-400',
  '1e-400',
  '21.300000000000001',
  '3.14159265358979323846',
  '0.1234567890123456789',
  '1.7976931348623157e309',
  '1724442618569203714e0',
];

/** Numbers whose value a double gives back, in whatever spelling. */
const EXACT = [
  ...[
    '0',
    '-0',
    '0.0',
    '5',
    '5.0',
    '1e3',
    '1E3',
    '1e+3',
    '1.50',
    '0.1',
    '-273.15',
    '9007199254740992',
    '1e22',
    '1e308',
  ],
  ...['5e-324', '2.2250738585072014e-308', '1.7976931348623157e308', '1000000000000000000000', '0.000000000000000001'],
  ...['1.0000000000000000000000', '0e400', '0.0e-400', '1724442618569203712e0'.replace('712', '700')],
];

describe('numbers of JSON', () => {
  it.each(INEXACT)('%s keeps its digits', (digits) => {
    expect(isExact(digits)).toBe(false);
    for (const text of [digits, ` ${digits} `, `[${digits}]`, `{"a":{"b":[1,${digits},"x"]}}`, `{"a":${digits}}`]) {
      expect(JSON.stringify(parseJson(text))).toBe(text.trim());
    }
    expect(exactNumber(digits)).toEqual(new JsonNumber(digits));
  });

  it.each(EXACT)('%s is a plain number', (digits) => {
    expect(isExact(digits)).toBe(true);
    expect(exactNumber(digits)).toBe(Number(digits));
    expect(parseJson(`[${digits},1724442618569203714]`)).toEqual([
      Number(digits),
      new JsonNumber('1724442618569203714'),
    ]);
  });

  it('in strings and keys are text', () => {
    const text = '{"1724442618569203714":"1724442618569203714","a\\"1e400":"\\\\","b":"1e400"}';
    expect(parseJson(text)).toEqual(JSON.parse(text));
    expect(JSON.stringify(parseJson(`{"k\\"":"\\\\",${text.slice(1, -1)},"n":1e400}`))).toContain('"n":1e400');
  });

  it('are held as the caller wants', () => {
    expect(parseJson('[1724442618569203714]', BigInt)).toEqual([1_724_442_618_569_203_714n]);
  });

  it('do not make JSON of what is none', () => {
    const wrong = [
      '{1724442618569203714:1}',
      '{"a":1724442618569203714.}',
      '[01724442618569203714]',
      '[-1e400',
      '1e400e1',
    ];
    const more = ['1724442618569203714 1', '"1724442618569203714', '--1724442618569203714', '[1724442618569203714"a"]'];
    for (const text of [...wrong, ...more]) expect(() => parseJson(text), text).toThrow(SyntaxError);
  });

  it('leave a key __proto__ a key', () => {
    const value = parseJson('{"__proto__":{"a":1e400}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1e400}}');
  });

  it('of any depth are found', () => {
    const text = `${'['.repeat(50_000)}1e400${']'.repeat(50_000)}`;
    let value = parseJson(text);
    while (Array.isArray(value)) value = value[0];
    expect(value).toEqual(new JsonNumber('1e400'));
  });
});

describe('bodies', () => {
  const body = Buffer.from('{"id":1724442618569203714,"x":1e400}');

  it('are shown and made with the digits they have', () => {
    const { payload } = showBody(body, 'application/json');
    expect(JSON.stringify({ payload })).toBe(`{"payload":${body}}`);
    expect(Buffer.from(encodeBody({ payload })!.body).toString()).toBe(String(body));
  });

  it.each([
    ['a byte order mark before', Buffer.from('\uFEFF{"a":1}')],
    ['NULs after', Buffer.from('{"a":1}\0\0')],
    ['white space around', Buffer.from('\n{"a":1}\r\n ')],
  ])('with %s are parsed', (_, bytes) => {
    expect(parseJsonBody(bytes, 'application/json')).toEqual({ a: 1 });
    expect(parseJsonBody(bytes, 'application/json; charset=utf-8')).toEqual({ a: 1 });
  });

  it('without a media type are JSON when they begin like it', () => {
    expect(parseJsonBody(Buffer.from('\uFEFF[1]'), undefined)).toEqual([1]);
    expect(parseJsonBody(Buffer.from('1'), undefined)).toBeUndefined();
  });

  it.each([
    ['{"a":1}\0{', 'expected nothing more, got NUL (a C string sent with its terminator?), at byte 7'],
    ['{"é":1,}', 'expected a key in double quotes, got "}", at byte 8'],
    ['{"a":NaN}', 'expected a value, got NaN, at byte 5'],
    ["{'a':1}", 'expected a key in double quotes or "}", got "\'", at byte 1'],
    ['{"a":1', 'expected "," or "}", got the end of the body, at byte 6'],
    ['[1 2]', 'expected "," or "]", got "2", at byte 3'],
    ['{"a" 1}', 'expected ":", got "1", at byte 5'],
    ['["a\nb"]', 'expected control characters escaped in a string, got U+000A, at byte 3'],
    ['["a\\x"]', 'expected an escape such as \\n or \\u00e9 after "\\", at byte 3'],
    ['["a', 'expected the string to be closed, got the end of the body, at byte 3'],
    ['\uFEFF[01]', 'expected a value or "]", got "0", at byte 4'],
    ['', 'it is empty'],
    ['"\u202e', 'expected the string to be closed, got the end of the body, at byte 4'],
    ['\u202e', 'expected a value, got U+202E, at byte 0'],
    ['['.repeat(MAX_JSON_DEPTH + 1), `it is nested more than ${MAX_JSON_DEPTH} deep`],
  ])('%j that are not JSON say why', (text, reason) => {
    expect(parseJsonBody(Buffer.from(text), 'application/json')).toBeUndefined();
    expect(whyNotJson(Buffer.from(text), 'application/json')).toBe(reason);
  });

  it('of another media type say so', () => {
    expect(whyNotJson(Buffer.from('{}'), 'text/plain')).toBe('its media type is "text/plain"');
    expect(whyNotJson(Buffer.from('hot'), undefined)).toBe('it begins with neither "{" nor "["');
    expect(whyNotJson(Buffer.from([0x7b, 0xff]), undefined)).toContain('not text');
  });

  it('are text in the charset they declare', () => {
    const latin = Buffer.from([0x68, 0xe9]);
    expect(decodeText(latin, 'text/plain; charset=ISO-8859-1')).toBe('hé');
    expect(decodeText(latin, 'text/plain;charset="windows-1252"')).toBe('hé');
    expect(decodeText(latin, 'text/plain')).toBeUndefined();
    expect(decodeText(latin, 'text/plain; charset=nonsense')).toBeUndefined();
    expect(decodeText(Buffer.from('hé', 'utf16le'), 'text/plain; charset=utf-16')).toBe('hé');
    expect(decodeText(Buffer.from([0xfe, 0xff, 0, 0x68]), 'text/plain; charset=utf-16')).toBe('h');
    expect(showBody(latin, 'text/plain; charset=latin1')).toEqual({ text: 'hé' });
    expect(parseJsonBody(Buffer.from('{"a":"é"}', 'latin1'), 'application/json; charset=latin1')).toEqual({ a: 'é' });
  });
});

describe('depth', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  it('counts levels, not brackets', () => {
    expect(isTooDeep(nested(MAX_JSON_DEPTH))).toBe(false);
    expect(isTooDeep(nested(MAX_JSON_DEPTH + 1))).toBe(true);
    expect(isTooDeep(`[${'[],'.repeat(1000)}"${'['.repeat(1000)}\\""]`)).toBe(false);
  });
});
