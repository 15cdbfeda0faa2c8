import { type Event, newRef } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLoopGuard, type LoopGuard } from '../../src/loops/loop-guard.ts';

/** A gateway in virtual time: events come in, their deliveries go out as the guard allows. */
class Scene {
  now = 1_000_000;
  readonly sent: string[] = [];
  readonly stopped: string[] = [];
  readonly guard: LoopGuard;
  readonly #queue: { at: number; run: () => void }[] = [];
  readonly #hasMetadata: boolean;
  readonly #onSend: (body: string) => void;

  constructor({ random = () => 0.5, hasMetadata = false, onSend = () => undefined }: Partial<SceneOptions> = {}) {
    this.#hasMetadata = hasMetadata;
    this.#onSend = onSend;
    this.guard = createLoopGuard({
      clock: { now: () => this.now, monotonic: () => this.now, timeout: () => () => undefined },
      book: { format: ({ scheme, segments }) => `${scheme}:${segments.join('/')}` },
      logger: { error: () => undefined },
      random,
    });
  }

  at(time: number, run: () => void): void {
    this.#queue.push({ at: time, run });
  }

  arrive(body: string, place = 'a', targets = 1): void {
    const event: Event = {
      ...{ ref: newRef(), source: 'floor', address: { scheme: 'topic', segments: [place] }, kind: 'message' },
      ...{ key: place, time: this.now, receivedAt: this.now, body: Buffer.from(body) },
      ...{ headers: [], via: [], origin: {} },
    };
    this.guard.arrived(event, this.#hasMetadata);
    for (let index = 0; index < targets; index++) this.#deliver(event);
  }

  run(until = Number.POSITIVE_INFINITY): void {
    for (;;) {
      const next = this.#queue.sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > until) return;
      this.#queue.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
      if (this.sent.length > 5000) throw new Error('it runs without end');
    }
  }

  #deliver(event: Event): void {
    const judgement = this.guard.judge(event);
    const body = Buffer.from(event.body).toString();
    if (judgement.type === 'wait') this.at(this.now + judgement.ms, () => this.#deliver(event));
    else if (judgement.type === 'loop') this.stopped.push(body);
    else {
      this.sent.push(body);
      this.#onSend(body);
    }
  }
}

interface SceneOptions {
  readonly random: () => number;
  readonly hasMetadata: boolean;
  onSend(body: string): void;
}

/** A scene in which whatever is sent comes back `copies` times after some ms. */
function loop(ms: number, copies = 1, options: Partial<SceneOptions> = {}): Scene {
  const scene: Scene = new Scene({
    ...options,
    onSend: (body) => {
      for (let copy = 0; copy < copies; copy++) scene.at(scene.now + ms, () => scene.arrive(body));
    },
  });
  return scene;
}

describe('a message that another gateway sends back without end', () => {
  it.each([1, 5, 40, 150])('is stopped after a few rounds of %i ms, with an alarm', (ms) => {
    const scene = loop(ms);
    scene.arrive('21.5');
    scene.run();
    expect(scene.sent.length).toBeLessThanOrEqual(10);
    expect(scene.stopped).toEqual(['21.5']);
    expect(scene.guard.alarms()).toEqual([expect.stringContaining('topic:a of "floor" comes back there')]);
  });

  it('is stopped when each round doubles it', () => {
    const scene = loop(5, 2);
    scene.arrive('21.5');
    scene.run();
    expect(scene.sent.length).toBeLessThanOrEqual(20);
  });

  it('is stopped where links carry marks that something on the way removes', () => {
    const scene = loop(5, 1, { hasMetadata: true });
    scene.arrive('21.5');
    scene.run();
    expect(scene.sent.length).toBeLessThanOrEqual(70);
    expect(scene.stopped).toEqual(['21.5']);
  });

  it('is sent on when it comes from its own sender later, and its returns are stopped at once', () => {
    const scene = loop(5);
    scene.arrive('21.5');
    scene.run();
    const before = scene.sent.length;
    scene.at(scene.now + 60_000, () => scene.arrive('21.5'));
    scene.run();
    expect(scene.sent.length).toBe(before + 1);
    expect(scene.stopped).toHaveLength(2);
  });

  it('holds nothing else up: other messages of the same place go on at once', () => {
    const scene = loop(5);
    scene.arrive('21.5');
    scene.run(scene.now + 300);
    const other = new Scene();
    other.arrive('22.0');
    expect(other.sent).toEqual(['22.0']);
    const judged = scene.guard.judge({
      ...{ ref: newRef(), source: 'floor', address: { scheme: 'topic', segments: ['a'] }, kind: 'message', key: 'a' },
      ...{ time: 0, receivedAt: 0, body: Buffer.from('22.0'), headers: [], via: [], origin: {} },
    });
    expect(judged.type).toBe('pass');
  });
});

describe('a sender that repeats itself', () => {
  it('is delivered whole, whatever its rhythm, however often it says the same', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.integer({ min: 0, max: 3000 }),
            fc.constantFrom('21.5', '21.5', 'on'),
            fc.integer({ min: 1, max: 3 }),
          ),
          {
            minLength: 1,
            maxLength: 200,
          },
        ),
        fc.boolean(),
        fc.integer(),
        (messages, isFast, seed) => {
          const scene = new Scene({ random: randomOf(seed) });
          let at = scene.now;
          let expected = 0;
          for (const [gap, body, targets] of messages) {
            at += isFast ? gap / 30 : gap;
            expected += targets;
            scene.at(at, () => scene.arrive(body, 'a', targets));
          }
          scene.run();
          expect([scene.sent.length, scene.stopped]).toEqual([expected, []]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([10, 90, 130, 400, 999, 1000, 1500, 1700, 2000, 3500])(
    'is delivered whole once every %i ms, after a burst',
    (period) => {
      for (let seed = 1; seed <= 20; seed++) {
        const scene = new Scene({ random: randomOf(seed) });
        const start = scene.now;
        for (let index = 0; index < 20; index++) scene.at(start + index * 10, () => scene.arrive('0'));
        for (let index = 0; index < 300; index++) scene.at(start + 200 + index * period, () => scene.arrive('0'));
        scene.run();
        expect([scene.sent.length, scene.stopped.length], `seed ${seed}`).toEqual([320, 0]);
      }
    },
  );

  it('waits half a second at first, and ever more seldom', () => {
    const scene = new Scene();
    const waits = new Set<number>();
    const { guard } = scene;
    const judge = guard.judge;
    Object.assign(guard, {
      judge: (event: Event) => {
        const judgement = judge(event);
        if (judgement.type === 'wait') waits.add(Math.floor(scene.now / 5000));
        return judgement;
      },
    });
    const tick = (left: number): void => {
      scene.arrive('ok');
      if (left > 0) scene.at(scene.now + 100, () => tick(left - 1));
    };
    tick(4000);
    scene.run();
    expect([scene.sent.length, scene.stopped.length]).toEqual([4001, 0]);
    // At 0, 10, 50 and 210 s.
    expect(waits.size).toBeGreaterThan(0);
    expect(waits.size).toBeLessThanOrEqual(8);
  });
});

/** A linear congruence: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
