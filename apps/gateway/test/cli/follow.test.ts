import { once } from 'node:events';
import { tcpProxy, waitFor } from '@magpie/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type FollowOptions, followStream } from '../../src/cli/client/follow.ts';
import { CommandFailed } from '../../src/cli/output/fail.ts';
import { createProgram } from '../../src/cli/program.ts';
import { publish, route, startWorld } from '../support/fixtures.ts';

const LIMIT = { timeout: 30_000 };

/** Follows in the background until the test ends. */
function follow(options: FollowOptions) {
  const stop = new AbortController();
  const [texts, notices]: [string[], string[]] = [[], []];
  let started = 0;
  const ended = followStream(
    options,
    {
      started: () => started++,
      event: ({ event }) => texts.push(String(event.text)),
      notice: (text) => notices.push(text),
    },
    stop.signal,
  );
  ended.catch(() => undefined); // Each test looks at it itself.
  onTestFinished(() => stop.abort());
  return { texts, notices, ended, stop: () => stop.abort(), started: () => started };
}

/** A gateway behind a line that can break. */
async function withLine() {
  const world = await startWorld([route('a', 'one')]);
  const line = await tcpProxy({ port: Number(new URL(world.url).port) });
  onTestFinished(() => line.close());
  return { world, line, url: line.url(world.url) };
}

/** A server that greets every socket and lets the test do the rest; `sockets` counts them. */
async function scripted(serve: (socket: WebSocket, count: number) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, 'listening');
  let count = 0;
  server.on('connection', (socket) => {
    const limits = { maxFrameBytes: 1000, maxEventFrameBytes: 1000, maxSubscriptions: 1, pingMs: 60 };
    socket.send(JSON.stringify({ type: 'hello', protocol: 'magpie.v1.json', gateway: 'g', ...limits }));
    serve(socket, ++count);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

const subscribed = JSON.stringify({ type: 'subscribed', id: 'tail', position: '1:0:7' });

test('a lost link is made up for: nothing is missed and nothing comes twice', LIMIT, async () => {
  const { world, line, url } = await withLine();
  const { texts, notices, started } = follow({ url, connection: 'http' });
  await waitFor(() => started() === 1, { what: 'the subscription' });
  await publish(world, 'a/x', 'one');
  await waitFor(() => texts.length === 1, { what: 'the first event' });
  await line.refuse(true);
  line.reset();
  for (const text of ['two', 'three']) await publish(world, 'a/x', text);
  await waitFor(() => notices.length >= 2, { what: 'a second try' });
  await line.refuse(false);
  await waitFor(() => texts.length === 3, { what: 'the rest', timeout: 15_000 });
  await publish(world, 'a/x', 'four');
  await waitFor(() => texts.length === 4, { what: 'the last' });
  expect(texts).toEqual(['one', 'two', 'three', 'four']);
  expect(started()).toBe(1);
  expect(notices[0]).toMatch(/^the stream ended: the link was lost \(1006\); connecting again in 0\.\d s$/);
  expect(notices[1]).toMatch(/^no stream at .*ECONNREFUSED.*; connecting again in /);
  expect(notices.at(-1)).toBe('connected again');
});

test('what is stored between a link that saw nothing and the next one is shown', LIMIT, async () => {
  const { world, line, url } = await withLine();
  const { texts, started } = follow({ url });
  await waitFor(() => started() === 1, { what: 'the subscription' });
  await line.refuse(true);
  line.reset();
  await publish(world, 'a/x', 'missed by nobody');
  await line.refuse(false);
  await waitFor(() => texts.includes('missed by nobody'), { what: 'the event', timeout: 15_000 });
});

test('the signal ends it at once, on a link and between two', LIMIT, async () => {
  const { line, url } = await withLine();
  const linked = follow({ url });
  await waitFor(() => linked.started() === 1, { what: 'the subscription' });
  linked.stop();
  await linked.ended;
  expect(linked.notices).toEqual([]);
  const waiting = follow({ url });
  await waitFor(() => waiting.started() === 1, { what: 'the subscription' });
  await line.refuse(true);
  line.reset();
  await waitFor(() => waiting.notices.length > 0, { what: 'the loss' });
  waiting.stop();
  await waiting.ended;
});

test.each([
  [1001, 'the gateway is stopping'],
  [4008, 'reading too slowly'],
  [1011, ''],
])('after a close with %i it resumes after the last position', LIMIT, async (code, reason) => {
  const asked: unknown[] = [];
  const url = await scripted((socket, count) => {
    socket.on('message', (data) => {
      const frame: { readonly type: string; readonly after?: string } = JSON.parse(String(data));
      if (frame.type !== 'subscribe') return;
      asked.push(frame.after);
      socket.send(subscribed);
      if (count === 1) socket.close(code, reason);
    });
  });
  const { notices } = follow({ url });
  await waitFor(() => asked.length === 2, { what: 'the second subscription' });
  expect(asked).toEqual([undefined, '1:0:7']);
  expect(notices[0]).toContain(`the stream ended: ${reason === '' ? 'no reason given' : reason} (${code}); connecting`);
});

test.each([
  [4406, 'expected the subprotocol'],
  [4500, 'not any more'],
  [1008, 'policy'],
])('a close with %i ends it with a sentence', LIMIT, async (code, reason) => {
  const url = await scripted((socket) => socket.close(code, reason));
  const { ended, notices } = follow({ url });
  await expect(ended).rejects.toEqual(new CommandFailed(`the stream ended: ${reason} (${code})`));
  expect(notices).toEqual([]);
});

test('a gateway that goes silent is left for another try', LIMIT, async () => {
  let links = 0;
  const url = await scripted((socket, count) => {
    links = count;
    socket.send(subscribed);
    socket.pause();
  });
  const { notices } = follow({ url });
  await waitFor(() => links === 2, { what: 'the second link' });
  expect(notices[0]).toContain('the link was lost (1006)');
});

test.each([
  ['{"type":"events","id":"tail"}', 'is not one of this Magpie version'],
  ['garbage', 'is not one of this Magpie version'],
  ['{"type":"error","status":400,"title":"Invalid request","detail":"no such connection"}', 'no such connection'],
])('the frame %s ends it with a sentence', LIMIT, async (frame, message) => {
  const url = await scripted((socket) => socket.send(frame));
  await expect(follow({ url }).ended).rejects.toThrow(message);
});

test('an answer by HTTP is shown in its own words', LIMIT, async () => {
  const world = await startWorld([route('a', 'one')]);
  await expect(follow({ url: world.url, key: 'not valid' }).ended).rejects.toThrow('expected visible ASCII');
  await expect(follow({ url: world.url, since: 'garbage' }).ended).rejects.toThrow(/position/i);
  await expect(follow({ url: 'http://127.0.0.1:9' }).ended).rejects.toThrow(
    'Is it running? Use --url to name another.',
  );
});

test(
  'tail says of an event without its body how large that is and where it is, and why one cannot be shown',
  LIMIT,
  async () => {
    const common = { ref: 'r', source: 'http', receivedAt: '2026-01-31T08:00:00.000Z', kind: 'message', via: [] };
    const shown = { ...common, address: 'topic:a', key: 'a', time: common.receivedAt, headers: [], origin: {} };
    const events = [
      { position: '1:0:8', event: { ...shown, bodyUrl: '/v1/messages/r/body', bytes: 1_500_000 } },
      { position: '1:0:9', event: { ...shown, unreadable: 'its time is none' } },
      { position: '1:0:10', event: { ...shown, text: 'hello' } },
    ];
    const url = await scripted((socket) =>
      socket.on('message', (data) => {
        if (!String(data).includes('subscribe')) return;
        socket.send(subscribed);
        socket.send(JSON.stringify({ type: 'events', id: 'tail', events }));
        socket.send(JSON.stringify({ type: 'error', id: 'tail', status: 400, title: 'over', detail: 'that is all' }));
      }),
    );
    const written: string[] = [];
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
    onTestFinished(() => spy.mockRestore());
    await expect(createProgram().parseAsync(['tail', '--url', url], { from: 'user' })).rejects.toThrow('that is all');
    const lines = written.join('').split('\n');
    expect(lines.map((line) => line.slice(64))).toEqual([
      'BODY',
      `[1500000 bytes: ${url}/v1/messages/r/body]`,
      '[cannot be shown: its time is none]',
      'hello',
      '',
    ]);
  },
);
