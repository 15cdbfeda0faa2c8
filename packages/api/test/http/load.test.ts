import type { Socket } from 'node:net';
import { waitFor } from '@magpie/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { get, post, startWorld, type World } from '../support/fixtures.ts';
import { answerOf, head, raw } from '../support/raw.ts';

const KIB = 1024;
const BODY = { topic: 'a', text: 'x'.repeat(60 * KIB) };
/** Room for four of the bodies. */
const MOST = 260 * KIB;

interface Stalled extends World {
  readonly url: string;
  /** Commits go on. */
  goOn(): void;
  /** Appends that wait for the disk. */
  waiting(): number;
}

/** An API in front of a log whose appends hang. */
async function stalled(): Promise<Stalled> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let waiting = 0;
  const world = await startWorld({
    mostWaiting: MOST,
    wrapLog: (log) => ({
      ...log,
      commit: async (change) => {
        waiting += change.append?.length ?? 0;
        if (change.append?.length) await promise;
        return log.commit(change);
      },
    }),
  });
  onTestFinished(() => resolve());
  return { ...world, url: await world.listen(), goOn: resolve, waiting: () => waiting };
}

async function filling({ url, waiting }: Stalled): Promise<Promise<Response>[]> {
  const sent = Array.from({ length: 4 }, () => publish(url));
  await waitFor(() => waiting() === 4, { what: 'four appends' });
  return sent;
}

const publish = (url: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(BODY),
    ...(signal ? { signal } : {}),
  });

test('what does not fit while the log stands still is answered 503 unread, and all is taken once it goes on', async () => {
  const world = await stalled();
  const sent = await filling(world);
  const unread = await raw(world.url, head(`content-length: ${60 * KIB}`));
  const answer = await answerOf(unread);
  expect(answer).toMatch(/^HTTP\/1.1 503 .*retry-after: 1\r\n.*application\/problem\+json.*Too much is waiting/is);
  expect((await post(world, BODY)).statusCode).toBe(503);
  expect((await get(world, '/livez')).statusCode).toBe(200);
  expect((await get(world, '/metrics')).body).toMatch(/^magpie_http_overload_total 2$/m);
  expect(world.waiting()).toBe(4);
  world.goOn();
  expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  for (let round = 0; round < 3; round++) expect((await pair(world)).map(({ status }) => status)).toEqual([202, 202]);
});

const pair = ({ url }: Stalled): Promise<Response[]> => Promise.all([publish(url), publish(url)]);

test('what closed clients have sent counts until it is stored', async () => {
  const world = await stalled();
  const abort = new AbortController();
  const sent = Array.from({ length: 4 }, () => publish(world.url, abort.signal).catch(() => undefined));
  await waitFor(() => world.waiting() === 4, { what: 'four appends' });
  abort.abort();
  await Promise.all(sent);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await publish(world.url)).status).toBe(503);
  world.goOn();
  await waitFor(async () => (await publish(world.url)).status === 202, { what: 'room' });
});

/** Requests that have sent so much of their 60 KiB, one after the other. */
async function parts(url: string, count: number, kib: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index++) {
    sockets.push(await raw(url, `${head(`content-length: ${60 * KIB}`)}${'x'.repeat(kib * KIB)}`));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return sockets;
}

/** What comes on each socket, as it comes. */
function answersOf(sockets: readonly Socket[]): readonly string[] {
  const answers = sockets.map(() => '');
  for (const [index, socket] of sockets.entries()) socket.on('data', (bytes) => (answers[index] += String(bytes)));
  return answers;
}

test('bodies that are announced and do not come take no room', async () => {
  const world = await stalled();
  world.goOn();
  await parts(world.url, 10, 0);
  const chunked = Array.from({ length: 10 }, () => raw(world.url, head('transfer-encoding: chunked')));
  await Promise.all(chunked);
  for (let round = 0; round < 3; round++) expect((await publish(world.url)).status).toBe(202);
});

test('bodies that come slowly make room for quick ones, the one first that has taken the longest', async () => {
  const world = await stalled();
  world.goOn();
  const slow = await parts(world.url, 4, 55);
  const told = answersOf(slow);
  for (let round = 0; round < 3; round++) expect((await publish(world.url)).status).toBe(202);
  await waitFor(() => told[0] !== '', { what: 'the word to the slowest' });
  expect(told[0]).toMatch(/^HTTP\/1.1 503 /);
  expect(told[0]).toContain('connection: close\r\nretry-after: 1');
  await waitFor(() => slow[0]?.readableEnded, { what: 'the end of its socket' });
  expect(told.slice(1)).toEqual(['', '', '']);
});

test('a slow body that breaks off gives its room back', async () => {
  const world = await stalled();
  const sent = await filling(world);
  world.goOn();
  await Promise.all(sent);
  const slow = await parts(world.url, 4, 55);
  for (const socket of slow) socket.destroy();
  const other = await parts(world.url, 4, 55);
  const told = answersOf(other);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(told).toEqual(['', '', '', '']);
});

test('a body that is announced too large is refused unread, one that gets too large as soon as it is', async () => {
  const world = await stalled();
  const announced = await raw(world.url, head('content-length: 99999999'));
  expect(await answerOf(announced)).toMatch(/^HTTP\/1.1 413 .*connection: close/is);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const growing = await raw(world.url, `${head('transfer-encoding: chunked')}${chunk.repeat(4)}`);
  expect(await answerOf(growing)).toMatch(/^HTTP\/1.1 413 .*connection: close/is);
});

test('requests of unknown length take no more than they have once they are read', async () => {
  const world = await stalled();
  const body = JSON.stringify({ topic: 'a', text: 'small' });
  for (let count = 1; count <= 10; count++) {
    await raw(world.url, `${head('transfer-encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    await waitFor(() => world.waiting() === count, { what: `${count} appends` });
  }
});

test('a bound on bytes is one on the number of requests as well', async () => {
  const world = await stalled();
  const sent = Array.from({ length: 100 }, () =>
    post(world, { topic: 'a', text: '' }).then(({ statusCode }) => statusCode),
  );
  const early = await Promise.race([Promise.all(sent), waitFor(() => world.waiting() > 50, { what: 'appends' })]);
  expect(early).toBe(true);
  world.goOn();
  const statuses = await Promise.all(sent);
  expect(new Set(statuses)).toEqual(new Set([202, 503]));
  expect(statuses.filter((status) => status === 202)).toHaveLength(64);
});
