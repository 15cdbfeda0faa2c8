import { NotConnected, Rejected, Throttled, Transient, Unknown } from '@magpie/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Bench, bench, text } from './outlet-fixture.ts';

/** What may happen to a target, in any order. */
type Step =
  | { readonly act: 'offer'; readonly key: number }
  | { readonly act: 'confirm' | 'fail'; readonly pick: number; readonly error: number }
  | { readonly act: 'link'; readonly up: boolean }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'crash'; readonly flushed: boolean };

const ERRORS = [
  () => new Transient('queue full'),
  () => new Rejected('never'),
  () => new Unknown('link lost'),
  () => new NotConnected('down'),
  () => new Throttled('slowly', 100),
];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant('offer' as const), key: fc.nat(2) }) },
  { weight: 5, arbitrary: fc.record({ act: fc.constant('confirm' as const), pick: fc.nat(9), error: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('fail' as const), pick: fc.nat(9), error: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('link' as const), up: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('wait' as const), ms: fc.nat(2000) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('crash' as const), flushed: fc.boolean() }) },
);

/** The target as the outside sees it: over all restarts, what was offered, first sent and confirmed. */
class World {
  bench: Bench;
  readonly offered: string[] = [];
  readonly confirmed = new Set<string>();
  /** First sends per key, in order. */
  readonly firstSent = new Map<string, number[]>();
  #seen = 0;
  #open: number[] = [];

  constructor(order: 'key' | 'strict') {
    this.bench = bench({ order });
  }

  async do(step: Step, order: 'key' | 'strict'): Promise<void> {
    switch (step.act) {
      case 'offer': {
        const body = `k${step.key}-${this.offered.length}`;
        this.offered.push(body);
        await this.bench.offer(body, `k${step.key}`);
        break;
      }
      case 'confirm':
      case 'fail':
        this.end(step.pick, step.act === 'confirm' ? undefined : step.error);
        break;
      case 'link':
        this.bench.up = step.up;
        if (step.up) this.bench.outlet.linkUp();
        break;
      case 'wait':
        await this.bench.clock.advance(step.ms);
        break;
      case 'crash':
        if (step.flushed) await this.bench.ledger.flush();
        this.bench.outlet.stop();
        this.bench.ledger.close();
        this.bench = bench({ order }, this.bench);
        this.#seen = 0;
        this.#open = [];
        break;
    }
    await this.bench.clock.advance(0);
    this.look();
  }

  /** Confirms (or fails) one of the sends that are open. */
  end(pick: number, error: number | undefined): void {
    const [index] = this.#open.splice(pick % Math.max(1, this.#open.length), 1);
    const sent = index === undefined ? undefined : this.bench.sent[index];
    if (!sent) return;
    if (error === undefined) {
      this.confirmed.add(text(sent.event));
      sent.confirm();
    } else {
      sent.fail(ERRORS[error]!());
    }
  }

  look(): void {
    for (; this.#seen < this.bench.sent.length; this.#seen++) {
      this.#open.push(this.#seen);
      const [key = '', number] = text(this.bench.sent[this.#seen]!.event).split('-');
      const sent = this.firstSent.get(key) ?? [];
      this.firstSent.set(key, sent);
      if (!sent.includes(Number(number))) sent.push(Number(number));
    }
  }

  /** Lets everything succeed from now on and waits until nothing is left. */
  async settle(order: 'key' | 'strict'): Promise<void> {
    await this.do({ act: 'link', up: true }, order);
    for (let round = 0; round < 400; round++) {
      await this.do({ act: 'confirm', pick: 0, error: 0 }, order);
      if (this.#open.length === 0) await this.do({ act: 'wait', ms: 2000 }, order);
      if (this.#open.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const { waiting, flying, held, lagging } = this.bench.outlet.load();
      if (this.#open.length === 0 && waiting + flying + held === 0 && !lagging) return;
    }
  }
}

it('delivers everything or makes it a dead letter, in order per key, whatever happens in between', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('key' as const, 'strict' as const),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      async (order, steps) => {
        const world = new World(order);
        for (const each of steps) await world.do(each, order);
        await world.settle(order);
        const letters = await world.bench.log.deadLetters({ limit: 1000 });
        const dead = new Set(letters.map(({ event }) => text(event)));
        expect(world.offered.filter((body) => !world.confirmed.has(body) && !dead.has(body))).toEqual([]);
        for (const sent of world.firstSent.values()) expect(sent).toEqual(sent.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: Number(process.env.MAGPIE_RUNS ?? 150) },
  );
});
