import fc from 'fast-check';
import { expect, it } from 'vitest';
import { visible, visibleLines } from '../src/index.ts';

it.each([
  ['a colour', '\u001b[31mred', '\\u001b[31mred'],
  ['a control of one byte', '\u009b2J', '\\u009b2J'],
  ['a bell and a delete', 'a\u0007\u007f', 'a\\u0007\\u007f'],
  ['a line break', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
  ['a turned direction', 'user\u202etxt.exe', 'user\\u202etxt.exe'],
  ['an isolate and a mark', '\u2066a\u2069\u200f\u061c', '\\u2066a\\u2069\\u200f\\u061c'],
  ['odd line ends', 'a\u2028b\u2029c\u0085', 'a\\u2028b\\u2029c\\u0085'],
  ['nothing to see', '\ufeff\u200b\u00ad', '\\ufeff\\u200b\\u00ad'],
  ['a lone surrogate', '\ud800x', '\\ud800x'],
  ['a tag beyond the first plane', '\u{e0041}', '\\udb40\\udc41'],
])('%s is shown as an escape', (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});

it('leaves what people write as it is', () => {
  for (const text of ['⚠ pump-7: heiß', '漢字 👩‍🔧 عربى', 'می‌خواهم']) expect(visible(text)).toBe(text);
});

it('keeps the line breaks and tabs of our own layout', () => {
  expect(visibleLines('a\n\tb\u001b\r')).toBe('a\n\tb\\u001b\\r');
});

it('keeps the value of JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(JSON.parse(visible(JSON.stringify(text)))).toBe(text);
    }),
  );
});
