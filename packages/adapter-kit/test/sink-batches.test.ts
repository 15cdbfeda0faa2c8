import { setImmediate as turn } from 'node:timers/promises';
import { judge, SinkBatches, settleInOrder } from '@magpie/adapter-kit';
import type { ReceivedEvent, Sink, Verdict } from '@magpie/contract';
import { describe, expect, it } from 'vitest';

const STORED: Verdict = { type: 'stored' };
const LOST: Verdict = { type: 'unavailable', reason: 'disk' };

const event = (text: string): ReceivedEvent => ({
  address: { scheme: 'a', segments: ['b'] },
  kind: 'message',
  body: Buffer.from(text),
  headers: [],
  via: [],
  origin: {},
});
const textOf = ({ body }: ReceivedEvent): string => Buffer.from(body).toString();

/** A sink whose calls are answered by hand. */
function heldSink() {
  const calls: { readonly texts: readonly string[]; answer(...verdicts: readonly Verdict[]): void }[] = [];
  const sink: Sink = (batch) => {
    const { promise, resolve } = Promise.withResolvers<readonly Verdict[]>();
    calls.push({ texts: batch.map(textOf), answer: (...verdicts) => resolve(verdicts) });
    return promise;
  };
  return { calls, sink };
}

describe('the verdicts of a sink', () => {
  it('are one per event, whatever the sink does', async () => {
    const events = [event('a'), event('b')];
    expect(await judge(async () => [STORED, LOST], events)).toEqual([STORED, LOST]);
    expect(await judge(async () => [STORED], events)).toEqual([
      STORED,
      { type: 'unavailable', reason: 'the sink gave no verdict' },
    ]);
    const broken = await judge(() => Promise.reject(new Error('gone')), events);
    expect(broken).toEqual(events.map(() => ({ type: 'unavailable', reason: 'gone' })));
  });

  it('settle in order, and nothing from the first on that could not be stored', () => {
    const settled: string[] = [];
    const settle = (text: string): void => void settled.push(text);
    const refused: Verdict = { type: 'refused', reason: 'too large' };
    expect(settleInOrder(['a', 'b', 'c'], [STORED, refused, { type: 'duplicate' }], settle)).toBeUndefined();
    expect(settleInOrder(['d', 'e', 'f'], [STORED, LOST, STORED], settle)).toBe('disk');
    expect(settled).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('batches for a sink', () => {
  const batchesOf = (settled: string[], most?: number) =>
    new SinkBatches<string>(
      (texts) => ({
        events: texts.filter((text) => text !== 'unwanted').map(event),
        settle: (verdicts) => void settled.push(`${texts.join('+')}: ${verdicts.map(({ type }) => type).join('+')}`),
      }),
      most,
    );

  it('hold everything of one turn, and at most so much', async () => {
    const { calls, sink } = heldSink();
    const batches = batchesOf([], 2);
    batches.open(sink);
    for (const text of ['a', 'b', 'c']) batches.take(text);
    expect(calls).toEqual([]);
    await turn();
    batches.take('d');
    await turn();
    expect(calls.map(({ texts }) => texts)).toEqual([['a', 'b'], ['c'], ['d']]);
  });

  it('are settled in the order of receipt, also those that the sink is given nothing of', async () => {
    const settled: string[] = [];
    const { calls, sink } = heldSink();
    const batches = batchesOf(settled);
    batches.open(sink);
    for (const text of ['a', 'unwanted', 'b']) {
      batches.take(text);
      await turn();
    }
    calls[1]?.answer(STORED);
    await turn();
    expect(settled).toEqual([]);
    calls[0]?.answer(LOST);
    await turn();
    expect(settled).toEqual(['a: unavailable', 'unwanted: ', 'b: stored']);
  });

  it('wait while no sink is open, and stop when it is closed; a later sink gets the rest', async () => {
    const [first, second] = [heldSink(), heldSink()];
    const settled: string[] = [];
    const batches = batchesOf(settled);
    batches.take('a');
    await turn();
    batches.open(first.sink);
    await turn();
    batches.take('b');
    batches.close();
    await turn();
    first.calls[0]?.answer(STORED);
    batches.open(second.sink);
    await turn();
    expect([first.calls[0]?.texts, second.calls[0]?.texts, settled]).toEqual([['a'], ['b'], ['a: stored']]);
  });

  it('go at once when asked to', () => {
    const { calls, sink } = heldSink();
    const batches = batchesOf([]);
    batches.open(sink);
    batches.take('a');
    batches.flush();
    expect(calls).toHaveLength(1);
  });
});
