import { NotConnected } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { createExchanges, type Exchange } from '../../src/link/exchanges.ts';
import { createQueue } from '../../src/send/queue.ts';

const exchange = (): Exchange & { readonly losses: boolean[] } => {
  const losses: boolean[] = [];
  return { expects: 'puback', answered: () => undefined, lost: (_, alone) => losses.push(alone), losses };
};
const puback = (packetId: number) => ({ type: 'puback', packetId, reasonCode: 0, reasonString: undefined }) as const;

describe('packet ids', () => {
  it.each([1, 500, 65_535])('are valid and never given twice at a time, for %i messages', (messages) => {
    const exchanges = createExchanges(messages);
    const stuck = exchange();
    const first = exchanges.begin(stuck) ?? 0;
    const taken: number[] = [];
    for (let count = 0; count < 140_000; count++) {
      const id = exchanges.begin(exchange()) ?? 0;
      if (id < 1 || id > 65_535 || id === first || taken.includes(id)) throw new Error(`the packet id ${id}`);
      taken.push(id);
      if (taken.length === 5) for (const done of taken.splice(0, 3)) exchanges.end(done);
    }
    expect(exchanges.find(puback(first))).toBe(stuck);
  });

  it('run out only beyond the room asked for', () => {
    const exchanges = createExchanges(2000);
    const ids = Array.from({ length: 10_000 }, () => exchanges.begin(exchange()));
    const given = ids.filter((id) => id !== undefined);
    expect(new Set(given).size).toBe(given.length);
    expect(given.length).toBeGreaterThanOrEqual(2000);
    expect(ids.at(-1)).toBeUndefined();
  });

  it('lead to the exchange that waits for this very answer', () => {
    const exchanges = createExchanges(1);
    const waiting = exchange();
    const id = exchanges.begin(waiting) ?? 0;
    expect(exchanges.find(puback(id))).toBe(waiting);
    expect(exchanges.find({ ...puback(id), type: 'pubcomp' })).toBeUndefined();
    expect(exchanges.find(puback((id % 65_535) + 1))).toBeUndefined();
    exchanges.end(id);
    expect(exchanges.find(puback(id))).toBeUndefined();
  });

  it('are overdue after whole stretches of time, and not once they are answered', () => {
    const exchanges = createExchanges(10);
    const early = exchanges.begin(exchange()) ?? 0;
    expect(exchanges.overdue(2)).toBe(false);
    exchanges.begin(exchange());
    expect(exchanges.overdue(2)).toBe(false);
    expect(exchanges.overdue(2)).toBe(true);
    exchanges.end(early);
    expect([exchanges.overdue(3), exchanges.overdue(2)]).toEqual([false, true]);
  });

  it('tell everybody about the end of the link, and whether nothing else was under way', () => {
    const end = { error: new NotConnected('gone'), reasonCode: undefined, isSilent: false };
    const [one, two] = [exchange(), exchange()];
    const exchanges = createExchanges(10);
    exchanges.begin(one);
    exchanges.lose(end, 0);
    exchanges.begin(two);
    exchanges.lose(end, 1);
    expect([one.losses, two.losses]).toEqual([[true], [false]]);
  });
});

describe('a queue', () => {
  it('gives in order, and only as much as may go, also when it is asked again meanwhile', () => {
    const queue = createQueue<number>();
    const got: number[] = [];
    for (let item = 0; item < 5000; item++) queue.push(item);
    let allowed = 0;
    const take = (): void =>
      queue.take(
        () => got.length < allowed,
        (item) => {
          got.push(item);
          take();
        },
      );
    for (allowed = 7; allowed < 5000; allowed += 7) take();
    expect(got).toEqual(Array.from({ length: 4998 }, (_, index) => index));
    expect([queue.clear(), queue.empty]).toEqual([[4998, 4999], true]);
  });
});
