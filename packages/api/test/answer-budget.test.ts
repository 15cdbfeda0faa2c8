import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { expect, test, vi } from 'vitest';
import { AnswerBudget } from '../src/http/answers/answer-budget.ts';
import { get, post, startWorld, type World } from './fixtures.ts';
import { getting, raw } from './raw.ts';

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

test('more than 256 waiting requests are told to come again', async () => {
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

test('clients that read nothing have no more pages made than fit, and a small one is served all the same', async () => {
  const world = await filled(20 * 1024 * 1024);
  const url = await world.listen();
  const sockets = await Promise.all(Array.from({ length: 30 }, () => raw(url)));
  for (const socket of sockets) {
    socket.pause();
    socket.write(getting('/v1/events?limit=500'));
  }
  await waitFor(() => world.searches() > 0, { what: 'the first page' });
  // What the kernel takes into its own buffers makes room for the next page, so the bound shows at the beginning.
  await sleep(20);
  expect(world.searches(), 'of 30 that were asked for').toBeLessThan(20);
  for (const socket of sockets) socket.destroy();
  expect((await fetch(`${url}/v1/events?limit=1`)).status).toBe(200);
});
