import type { Connection, Sink } from '@magpie/contract';
import type { Defect } from './defect.ts';

const withSink = (change: (sink: Sink) => Sink) => (sound: Connection) => ({
  receive: (...[sources, sink]: Parameters<Connection['receive']>) => sound.receive(sources, change(sink)),
});

/** Defects in taking messages and answering for them. */
export const RECEIVING: readonly Defect[] = [
  {
    defect: 'acknowledges whatever the verdict is',
    foundBy: ['unavailable-redelivered', 'late-unavailable'],
    connection: withSink((sink) => async (batch) => (await sink(batch)).map(() => ({ type: 'stored' }))),
  },
  {
    defect: 'acknowledges before the verdict',
    foundBy: ['pending-redelivered', 'no-overtaking', 'receive-window', 'pending-redelivered-after-cut'],
    connection: withSink((sink) => async (batch) => {
      void sink(batch);
      return batch.map(() => ({ type: 'stored' }));
    }),
  },
  {
    defect: 'never acknowledges a refused message',
    foundBy: ['refused-acknowledged'],
    connection: withSink((sink) => async (batch) => {
      const verdicts = await sink(batch);
      return verdicts.map((verdict) => (verdict.type === 'refused' ? { ...verdict, type: 'unavailable' } : verdict));
    }),
  },
  {
    defect: 'waits for one verdict before handing over the next message',
    foundBy: ['sink-concurrent'],
    connection: withSink((sink) => {
      let last: Promise<unknown> = Promise.resolve();
      return (batch) => {
        const verdicts = last.then(() => sink(batch));
        last = verdicts;
        return verdicts;
      };
    }),
  },
  {
    defect: 'takes more than its window',
    foundBy: ['receive-window'],
    prepare: (config, context) => [{ ...config, window: 10_000 }, context],
  },
  {
    defect: 'goes on receiving after quiesce',
    foundBy: ['quiesce', 'quiesce-keeps'],
    connection: () => ({ quiesce: async () => undefined }),
  },
  {
    defect: 'adds sources instead of replacing them',
    foundBy: ['receive-replaces'],
    connection: (sound) => {
      const all: Parameters<Connection['receive']>[0][number][] = [];
      return {
        receive: (sources, sink) => {
          all.push(...sources);
          return sound.receive(all, sink);
        },
      };
    },
  },
];
