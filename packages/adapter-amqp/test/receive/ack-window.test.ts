import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAckLedger } from '../../src/receive/ack-window.ts';

describe('the acknowledgement window', () => {
  it('acknowledges the highest tag below which nothing is missing', () => {
    const ledger = createAckLedger();
    ledger.settle(2);
    expect(ledger.advance()).toBeUndefined();
    ledger.settle(1);
    expect(ledger.advance()).toBe(2);
    expect(ledger.advance()).toBeUndefined();
  });

  it('in any order of verdicts, acknowledges exactly the stored ones before the first gap', () => {
    const verdicts = fc.array(fc.boolean(), { maxLength: 30 });
    const order = verdicts.chain((stored) =>
      fc.tuple(fc.constant(stored), fc.shuffledSubarray([...stored.keys()], { minLength: stored.length })),
    );
    fc.assert(
      fc.property(order, ([stored, indices]) => {
        const ledger = createAckLedger();
        let last = 0;
        for (const index of indices) {
          if (stored[index]) ledger.settle(index + 1);
          last = ledger.advance() ?? last;
        }
        const gap = stored.indexOf(false);
        expect(last).toBe(gap < 0 ? stored.length : gap);
      }),
    );
  });

  it('names no rejected tag, and passes it', () => {
    const ledger = createAckLedger();
    ledger.settle(1);
    ledger.skip(2);
    expect(ledger.advance()).toBe(1);
    ledger.skip(4);
    ledger.settle(3);
    expect(ledger.advance()).toBe(3);
    ledger.settle(5);
    expect([ledger.advance(), ledger.singles()]).toEqual([5, []]);
  });

  it('acknowledges one by one what comes after a tag that stays', () => {
    const ledger = createAckLedger();
    ledger.settle(4);
    ledger.skip(5);
    ledger.leave(3);
    ledger.settle(1);
    ledger.settle(2);
    ledger.settle(6);
    expect([ledger.advance(), ledger.singles(), ledger.singles()]).toEqual([2, [4, 6], []]);
    ledger.settle(7);
    expect([ledger.advance(), ledger.singles()]).toEqual([undefined, [7]]);
  });
});
