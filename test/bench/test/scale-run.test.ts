import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Driver } from '../driver/client.ts';
import { websocketSink } from '../driver/ends/websocket-ends.ts';
import { createGathering } from '../driver/gather.ts';
import { allowOpenFiles } from '../measure/open-files.ts';
import { backlog } from '../scale/backlog.ts';
import { fill } from '../scale/fill.ts';
import { SERIES } from '../scale/index.ts';
import { runScale } from '../scale/run.ts';
import type { Series, SeriesRun } from '../scale/series.ts';
import { measureUnderLoad } from '../scale/under-load.ts';
import { createBrokers } from '../world/brokers.ts';

const missing = async () => {
  throw new Error('The program "mosquitto" was not found in PATH: install it.\nlog line');
};
const noBrokers = () => createBrokers({ mosquitto: missing, mosquitto2: missing, rabbitmq: missing, prosody: missing });

const options = { rounds: 1, seconds: 1, quick: true };

const series = (measure: Series['measure'], needs: Series['needs'] = []): Series => ({
  ...{ name: 'scale-x', title: 'X', unit: 'things', about: '', sizes: [1000, 10_000], quickSizes: [10, 20], needs },
  ...{ columns: [], cost: 'cpu', memory: 'memory', goals: [], measure },
});

const fakeDriver = (answer: (call: string) => unknown, calls: string[] = []): Driver => ({
  pid: 1,
  call: async (call) => {
    calls.push(call);
    return answer(call) as never;
  },
  stop: async () => void calls.push('stop'),
});

const seriesRun = (more: Partial<SeriesRun>): SeriesRun => ({
  ...{ rounds: 1, seconds: 1, deadline: Number.POSITIVE_INFINITY, progress: () => undefined },
  site: () => ({ name: 's', body: 256, port: () => 1, url: () => 'mqtt://127.0.0.1:1', ca: () => '' }),
  broker: () => {
    throw new Error('nothing may be started');
  },
  ...more,
});

describe('a run of series', () => {
  it('says in every row of every series which broker is missing, and goes on', async () => {
    const results = await runScale(SERIES, {
      ...{ options, brokers: noBrokers(), progress: () => undefined, done: () => undefined },
    });
    expect(results.map((result) => result.series)).toEqual(SERIES.map(({ name }) => name));
    for (const { rows } of results) {
      expect(rows).toHaveLength(2);
      for (const { state, reason } of rows) {
        expect(state).toBe('failed');
        expect(reason).toMatch(/^mosquitto2? cannot be started: The program "mosquitto" was not found/);
      }
    }
  });

  it('takes the small sizes in a quick run, tells of each series when it is done, and goes on after a failure', async () => {
    const seen: (readonly number[])[] = [];
    const told: string[] = [];
    const good = series(async (sizes) => {
      seen.push(sizes);
      return [];
    });
    const bad = series(async () => {
      throw new Error('out of luck');
    });
    const run = { brokers: noBrokers(), progress: () => undefined, done: () => void told.push('done') };
    const [failed] = await runScale([bad, good], { ...run, options });
    await runScale([good], { ...run, options: { ...options, quick: false } });
    expect(failed?.rows.map(({ size, reason }) => `${size} ${reason}`)).toEqual(['10 out of luck', '20 out of luck']);
    expect(seen).toEqual([
      [10, 20],
      [1000, 10_000],
    ]);
    expect(told).toHaveLength(3);
  });
});

describe('a series under load', () => {
  it('begins no size when the time is over, and says so in its row', async () => {
    const calls: string[] = [];
    const rows = await measureUnderLoad(() => {
      throw new Error('nothing may be started');
    })([10, 20], seriesRun({ deadline: performance.now() - 1, driver: () => fakeDriver(() => null, calls) }));
    expect(rows.map(({ size, state, reason }) => [size, state, reason])).toEqual([
      [10, 'failed', 'not begun: the time for all sizes was over'],
      [20, 'failed', 'not begun: the time for all sizes was over'],
    ]);
    expect(calls).toEqual(['stop']);
  });

  it('goes on with the other sizes when one cannot be set up', async () => {
    const rows = await measureUnderLoad((_, size) => {
      throw new Error(`no room for ${size}`);
    })([10, 20], seriesRun({ driver: () => fakeDriver(() => null) }));
    expect(rows.map(({ reason }) => reason)).toEqual(['no room for 10', 'no room for 20']);
  });
});

describe('a backlog', () => {
  it('says in the row what went wrong at a size, lets the target go on, and tries the next', async () => {
    let resumed = 0;
    const broker = { pause: async () => {}, resume: () => void resumed++ };
    const rows = await backlog.measure(
      [10, 20],
      seriesRun({
        broker: () => broker as unknown as never,
        driver: () =>
          fakeDriver(() => {
            throw new Error('connect ECONNREFUSED 127.0.0.1:1');
          }),
      }),
    );
    expect(rows.map(({ size, reason }) => [size, reason])).toEqual([
      [10, 'connect ECONNREFUSED 127.0.0.1:1'],
      [20, 'connect ECONNREFUSED 127.0.0.1:1'],
    ]);
    expect(resumed).toBe(2);
  });

  it('begins no size when the time is over', async () => {
    const rows = await backlog.measure(
      [10],
      seriesRun({ deadline: performance.now() - 1, driver: () => fakeDriver(() => null) }),
    );
    expect(rows[0]).toMatchObject({ state: 'failed', reason: 'not begun: the time for all sizes was over' });
  });
});

describe('a gathering', () => {
  const order = { pids: {}, stallMs: 60 };

  it('counts each number once and ends with the last', async () => {
    const { listener, wait } = createGathering(4);
    listener.arrived(0);
    const waiting = wait({ ...order, stallMs: 10_000 });
    for (const sequence of [2, 2, 1, 99, -1, 3]) listener.arrived(sequence);
    expect(await waiting).toMatchObject({ before: 1, gathered: 4, duplicates: 1 });
    expect(await wait(order)).toMatchObject({ before: 4, gathered: 4 });
  });

  it('gives up when nothing arrives, and says what has', async () => {
    const { listener, wait } = createGathering(4);
    listener.arrived(1);
    expect(await wait(order)).toMatchObject({ before: 1, gathered: 1 });
  });

  it('rejects with what broke', async () => {
    const { listener, wait } = createGathering(4);
    const waiting = wait({ ...order, stallMs: 10_000 });
    listener.failed(new Error('the other side closed the connection to port 1'));
    await expect(waiting).rejects.toThrow('closed the connection to port 1');
  });
});

describe('WebSockets that cannot all be opened', () => {
  it('are counted in the reason', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const { listener } = createGathering(1);
    await expect(websocketSink({ kind: 'websocket', port, path: '/', subscribers: 3 }, listener)).rejects.toThrow(
      `0 of 3 WebSockets were open, then: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
  });
});

describe('filling', () => {
  let close = (): void => undefined;
  afterEach(() => close());

  async function serve(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void) {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => answer(request, body, response));
    }).listen(0, '127.0.0.1');
    close = () => void server.close().closeAllConnections();
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('publishes every number once, in batches', async () => {
    const seen: number[] = [];
    const sizes: number[] = [];
    const url = await serve((request, body, response) => {
      expect(request.url).toBe('/v1/messages');
      const batch: { topic: string; payload: { seq: number } }[] = JSON.parse(body);
      sizes.push(batch.length);
      for (const { topic, payload } of batch) {
        expect(topic).toBe('a/"b"');
        seen.push(payload.seq);
      }
      response.writeHead(202).end('{"results":[]}');
    });
    await fill({ url, topic: 'a/"b"', body: 256, from: 7, count: 1203 });
    const first = Math.min(...seen);
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 1203 }, (_, index) => first + index));
    expect(first % 1000).toBe(7);
    expect(sizes.sort((a, b) => a - b)).toEqual([203, 500, 500]);
  });

  it.each([
    ['a status', 503, '{"detail":"The gateway is stopping."}', 'HTTP status 503, The gateway is stopping.'],
    ['one message of a batch', 202, '{"results":[{"problem":{"detail":"It is full."}}]}', 'It is full.'],
    ['no JSON', 500, 'oops', 'HTTP status 500, oops'],
  ])('ends with the reason of %s', async (_, status, answer, reason) => {
    const url = await serve((__, ___, response) => void response.writeHead(status).end(answer));
    await expect(fill({ url, topic: 't', body: 256, from: 0, count: 10 })).rejects.toThrow(reason);
  });
});

describe('the limit of open files', () => {
  it('says what to do when it cannot be raised', async () => {
    await expect(allowOpenFiles('the gateway', process.pid, 2 ** 40)).rejects.toThrow(
      /^the gateway needs 1,099,511,627,776 open files and may have [\d,]+: run "ulimit -n 1099511627776"/,
    );
    await expect(allowOpenFiles('the gateway', process.pid, 1)).resolves.toBeUndefined();
  });
});
