import { describe, expect, it } from 'vitest';
import type { Source } from '../driver/ends/ends.ts';
import { createLoad, type Load } from '../driver/load.ts';
import { cpuOf, machineCpu, memoryOf } from '../driver/observe.ts';
import type { ThroughputOrder } from '../driver/specification.ts';

const ORDER: ThroughputOrder = { window: 50, together: 5, stallMs: 5000, warmMs: 20, ms: 100, pids: {} };

/** A load whose messages arrive one turn later, as `treat` has it. */
function echo(treat: (load: Load, sequence: number) => void, copies = 1) {
  let most = 0;
  let onTheirWay = 0;
  const source: Source = {
    room: () => Number.POSITIVE_INFINITY,
    send: (first, count) => {
      onTheirWay += count;
      most = Math.max(most, onTheirWay);
      setImmediate(() => {
        onTheirWay -= count;
        for (let sequence = first; sequence < first + count; sequence++) treat(load, sequence);
        load.listener.settled();
      });
    },
    close: () => undefined,
  };
  const load: Load = createLoad(() => source, copies);
  return { load, most: () => most };
}

const arrive = (load: Load, sequence: number): void => load.listener.arrived(sequence);

describe('a run as fast as possible', () => {
  it('keeps the window full and never exceeds it', async () => {
    const { load, most } = echo(arrive);
    const result = await load.throughput(ORDER);
    expect(most()).toBe(50);
    expect(result.delivered).toBeGreaterThan(100);
    expect(result).toMatchObject({ lost: 0, duplicates: 0, refused: 0 });
    expect(result.seconds).toBeGreaterThan(0.09);
  });

  it('counts a message once all its copies have arrived, and one copy more as a duplicate', async () => {
    const { load } = echo((to, sequence) => {
      for (let copy = 0; copy < (sequence === 0 ? 4 : 3); copy++) arrive(to, sequence);
    }, 3);
    const result = await load.throughput(ORDER);
    expect(result.delivered).toBeGreaterThan(100);
    expect(result.duplicates).toBe(1);
    expect(result.lost).toBe(0);
  });

  it('goes on after a stall and counts what was on its way as lost', async () => {
    const { load } = echo((to, sequence) => (sequence >= 200 && sequence < 300 ? undefined : arrive(to, sequence)));
    const result = await load.throughput({ ...ORDER, stallMs: 60, ms: 600 });
    expect(result.lost).toBe(100);
    expect(result.delivered).toBeGreaterThan(100);
  });

  it('counts refusals, and ends when everything is refused', async () => {
    const some = echo((to, sequence) =>
      sequence % 2 === 0 ? to.listener.refused(sequence, 'HTTP status 429') : arrive(to, sequence),
    );
    const result = await some.load.throughput(ORDER);
    expect(result.refused).toBeGreaterThan(50);
    expect(result.lost).toBe(0);
    const all = echo((to, sequence) => to.listener.refused(sequence, 'HTTP status 503'));
    await expect(all.load.throughput(ORDER)).rejects.toThrow('every message was refused: HTTP status 503');
  });

  it('ends when an end fails', async () => {
    const { load } = echo((to) => to.listener.failed(new Error('the line broke')));
    await expect(load.throughput(ORDER)).rejects.toThrow('the line broke');
  });

  it('can be repeated: numbers go on and nothing of the run before is counted', async () => {
    const { load } = echo(arrive);
    await load.throughput(ORDER);
    expect(await load.throughput(ORDER)).toMatchObject({ lost: 0, duplicates: 0 });
  });
});

describe('a run at a steady rate', () => {
  it('sends at the rate and measures each message', async () => {
    const { load } = echo(arrive);
    const { milliseconds, sent, lost } = await load.latency({ rate: 500, warmMs: 20, ms: 300 });
    expect(lost).toBe(0);
    expect(milliseconds.length).toBe(sent);
    expect(sent).toBeGreaterThan(100);
    // The rate bounds it from above, however the machine is loaded: what was late in the warm-up may be caught up.
    expect(sent).toBeLessThan(200);
    expect(Math.min(...milliseconds)).toBeGreaterThanOrEqual(0);
  });
});

describe('figures of the operating system', () => {
  it('are read although a program may be called anything', () => {
    const stat = '4 (a) b (c) S 1 4 4 0 -1 4194560 1 0 0 0 250 50 0 0 20 0';
    expect(cpuOf(stat)).toBe(3);
    expect(memoryOf('Name:\tx\nVmRSS:\t  2048 kB\n')).toBe(2);
    expect(machineCpu('cpu  100 0 200 9999 50 10 20 0 0 0\ncpu0 1')).toBe(3.3);
  });
});
