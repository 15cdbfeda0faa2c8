import { expect, test } from 'vitest';
import { table } from '../../src/cli/output/table.ts';

test('columns are as wide as their widest cell, the last as long as it is', () => {
  const rows = [
    ['a', 'one', 'x'],
    ['long', '2', ''],
  ];
  expect(table(['H', 'HEAD', 'L'], rows)).toBe('H     HEAD  L\na     one   x\nlong  2\n');
});

test('wide signs count as they are seen, and what would steer the terminal is shown', () => {
  expect(
    table(
      ['A', 'B'],
      [
        ['🐦', 'x'],
        ['ab\t', 'y'],
        ['漢', 'x'],
        ['e\u0301e', 'w'],
        ['\u001bc', 'z\nw'],
      ],
    ),
  ).toBe('A        B\n🐦       x\nab\\t     y\n漢       x\ne\u0301e       w\n\\u001bc  z\\nw\n');
});

test('a missing cell is empty', () => expect(table(['A', 'B'], [['1']])).toBe('A  B\n1\n'));
