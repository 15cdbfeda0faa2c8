import { expect, it } from 'vitest';
import { didYouMean, nearest } from '../src/index.ts';

it.each([
  ['tpoic', ['topic', 'queue'], 'topic'],
  ['qso', ['qos', 'id'], 'qos'],
  ['Subscribes', ['subscribe'], 'subscribe'],
  ['abc', ['xyz'], undefined],
  ['jid', ['id', 'room'], 'id'],
  ['', ['a'], 'a'],
])('the name nearest to %j among %j is %j', (word, candidates, best) => {
  expect(nearest(word, candidates)).toBe(best);
});

it('suggests nothing for what is no text, not near or right', () => {
  expect(didYouMean(5, ['5'])).toBeUndefined();
  expect(didYouMean('topic', ['topic'])).toBeUndefined();
  expect(didYouMean('tpoic', ['topic'])).toBe('did you mean "topic"?');
});
