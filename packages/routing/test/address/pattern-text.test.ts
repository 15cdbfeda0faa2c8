import { createAddressBook, pathScheme } from '@magpie/contract';
import { expect, it } from 'vitest';
import { patternFromText } from '../../src/index.ts';

const board = pathScheme({ scheme: 'board', word: 'board', separator: '/', one: '+', many: '#', maxBytes: 200 });

it('a pattern from text is read as that of a route: in compared spelling, and what is left out means any', () => {
  const scheme = {
    ...board,
    splitPattern: ({ board: text = '' }: Readonly<Record<string, string>>) => [...text.toLowerCase().split('/'), '#'],
  };
  const book = createAddressBook([{ type: 'office', addresses: [scheme] }]);
  expect(patternFromText('board:Hall', book, undefined)).toEqual({
    scheme: 'board',
    segments: [{ type: 'literal', value: 'hall' }, { type: 'many' }],
  });
});
