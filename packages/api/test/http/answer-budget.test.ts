import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AnswerBudget } from '../../src/http/answers/answer-budget.ts';
import { get, post, startWorld, type World } from '../support/fixtures.ts';
import { getting, raw } from '../support/raw.ts';

const never = (): void => {
  throw new Error('nobody is to be cut');
};

test('answers beyond the bound wait for their turn, in order, and get it as soon as others end or are smaller', async () => {
  const budget = new AnswerBudget(100);
  const first = await budget.acquire(60, never);
  const order: string[] = [];
  const take = async (name: string, bytes: number) => {
    const share = await budget.acquire(bytes, never);
    order.push(name);
    return share;
  };
  const second = take('second', 80);
  const third = take('third', 10);
  await sleep(1);
  expect(order).toEqual([]);
  first.shrink(20);
  await Promise.all([second]);
  expect(order).toEqual(['second']);
  first.end();
  first.end();
  await third;
  expect(order).toEqual(['second', 'third']);
});

test('one answer is made whatever its size, and then none beside it', async () => {
  const budget = new AnswerBudget(100);
  const large = await budget.acquire(1000, never);
  let isMade = false;
  const small = budget.acquire(1, never).then(() => (isMade = true));
  await sleep(1);
  expect(isMade).toBe(false);
  large.end();
  expect(await small).toBe(true);
});

test('a client that is slow to read is cut when others wait, and left alone when nobody does', async () => {
  const budget = new AnswerBudget(100, 50);
  const cut = vi.fn();
  const slow = await budget.acquire(100, () => {
    cut();
    slow.end();
  });
  await sleep(400);
  expect(cut).not.toHaveBeenCalled();
  await budget.acquire(100, never);
  expect(cut).toHaveBeenCalledOnce();
});

test('more than 256 waiting requests are refused with Retry-After', async () => {
  const budget = new AnswerBudget(100);
  await budget.acquire(100, never);
  const waiting = Array.from({ length: 256 }, () => budget.acquire(1, never));
  await expect(budget.acquire(1, never)).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  for (const each of waiting) each.catch(() => undefined);
});

const LARGE = 300_000;

/** A world with twenty events of 300 kB, and how many searches were begun. */
async function filled(mostAnswers: number): Promise<World & { readonly searches: () => number }> {
  let searches = 0;
  const world = await startWorld({
    maxBodyBytes: LARGE + 1000,
    mostAnswers,
    wrapLog: (log) => ({
      ...log,
      search: (query) => {
        searches++;
        return log.search(query);
      },
    }),
  });
  for (let index = 0; index < 20; index++) await post(world, { topic: 'a', text: `${index} ${'x'.repeat(LARGE)}` });
  return { ...world, searches: () => searches };
}

test('a page of large events ends early, and its cursor leads to all of them', async () => {
  const world = await filled(64 * 1024 * 1024);
  const seen: string[] = [];
  let pages = 0;
  for (let url: string | undefined = '/v1/events?connection=http&limit=500'; url !== undefined; pages++) {
    const response = await get(world, url);
    const { events, next } = response.json();
    expect(response.body.length).toBeLessThan(5 * 1024 * 1024);
    seen.push(...events.map(({ event }: { event: { text: string } }) => event.text.split(' ')[0]));
    url = next && `/v1/events?connection=http&limit=500&before=${next}`;
  }
  expect(pages).toBeGreaterThan(1);
  expect(seen.map(Number)).toEqual(Array.from({ length: 20 }, (_, index) => 19 - index));
});

/** Bytes of all answers that the budget has granted and not got back, and how many answers were granted; at their highest. */
function watchGrants() {
  const acquire = AnswerBudget.prototype.acquire;
  const seen = { bytes: 0, most: 0, granted: 0 };
  const charge = (bytes: number): void => {
    seen.bytes += bytes;
    seen.most = Math.max(seen.most, seen.bytes);
  };
  const spy = vi.spyOn(AnswerBudget.prototype, 'acquire').mockImplementation(async function (
    this: AnswerBudget,
    bytes,
    cut,
  ) {
    const share = await acquire.call(this, bytes, cut);
    let own = bytes;
    seen.granted++;
    charge(own);
    return {
      shrink: (size) => {
        charge(size - own);
        own = size;
        share.shrink(size);
      },
      end: () => {
        charge(-own);
        own = 0;
        share.end();
      },
    };
  });
  onTestFinished(() => spy.mockRestore());
  return seen;
}

test('clients that read nothing have no more pages made than fit, and a small one is still served', async () => {
  const grants = watchGrants();
  const most = 20 * 1024 * 1024;
  const world = await filled(most);
  const url = await world.listen();
  const sockets = await Promise.all(Array.from({ length: 30 }, () => raw(url)));
  for (const socket of sockets) {
    socket.pause();
    socket.write(getting('/v1/events?limit=500'));
  }
  await waitFor(() => grants.granted > 2, { what: 'the pages that fit at first, and one that came after' });
  expect(grants.most).toBeGreaterThan(0);
  expect(grants.most).toBeLessThanOrEqual(most);
  expect(world.searches(), 'no page is made that was not granted').toBeLessThanOrEqual(grants.granted);
  for (const socket of sockets) socket.destroy();
  expect((await fetch(`${url}/v1/events?limit=1`)).status).toBe(200);
});
