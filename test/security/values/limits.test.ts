import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { scriptedServer } from '@magpie/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, post } from '../kit/http.ts';
import { startVictim } from '../kit/victim.ts';

/** What may be written where a number belongs. */
const NUMBERS = [
  ...[
    '0',
    '-0',
    '-1',
    '1.5',
    '1e2',
    '1e999',
    '-1e999',
    '1e-999',
    'NaN',
    'Infinity',
    '-Infinity',
    '0x10',
    '0b1',
    '1_000',
  ],
  ...['', ' ', '٣', '１', '9007199254740993', '9'.repeat(400), 'null', 'true', '[]', '1,2', '\u0000', '+1', '1n'],
];

it('numbers of every kind in a query are taken as they are or refused', async () => {
  const victim = await startVictim();
  const outcome = await underAttack(victim, async () => {
    const { body } = await post(`${victim.url}/v1/messages`, { topic: 'a', text: 'x' });
    const { position } = JSON.parse(body);
    const [epoch = ''] = String(position).split(':');
    let tried = 0;
    for (const number of NUMBERS) {
      const text = encodeURIComponent(number);
      const paths = [
        ...[`events?limit=${text}`, `dead-letters?limit=${text}`, `events?limit=1&limit=${text}`],
        ...[
          `events?after=${text}`,
          `events?before=${text}`,
          `events?after=${epoch}:0:${text}`,
          `events?before=${epoch}:${text}:1`,
        ],
        ...[
          `dead-letters?after=${text}`,
          `dead-letters?since=${text}`,
          `dead-letters?until=${text}`,
          `messages/${text}`,
        ],
      ];
      for (const path of paths) {
        tried++;
        expect((await ask(`${victim.url}/v1/${path}`)).status, path).toBeLessThan(500);
      }
      for (const body of [`{"rate":${number || '""'}}`, `{"rate":"${text}"}`]) {
        tried++;
        expect((await post(`${victim.url}/v1/dead-letters/retry`, body)).status, body).toBeLessThan(500);
      }
      for (const field of ['priority', 'ttl', 'expiresAt', 'time', 'retain', 'headers', 'key', 'id']) {
        for (const value of [number || '""', JSON.stringify(number), JSON.stringify(`${number}d`)]) {
          tried++;
          const message = `{"topic":"a","text":"x","${field}":${value}}`;
          expect([202, 400], message).toContain((await post(`${victim.url}/v1/messages`, message)).status);
        }
      }
    }
    expect((await ask(`${victim.url}/v1/events?limit=500`)).status).toBe(200);
    return tried;
  });
  expectUnharmed(outcome, { growth: 150 });
});

/** A port where everybody is let in and nothing is said. */
async function silence(): Promise<number> {
  const server = await scriptedServer(async (peer) => void (await peer.closed));
  onTestFinished(() => server.close());
  return server.port;
}

/** Every setting that is a duration, a size or a count, by its place. */
const SETTINGS: readonly (readonly string[])[] = [
  ...[
    ['gateway', 'log', 'retain'],
    ['gateway', 'dedupe', 'window'],
    ['gateway', 'log', 'maxBytes'],
  ],
  ...[
    ['gateway', 'limits', 'maxBodyBytes'],
    ['gateway', 'dedupe', 'count'],
    ['gateway', 'deadLetters', 'max'],
  ],
  ...['keepalive', 'connectTimeout', 'confirmTimeout', 'receiveMaximum', 'maxInflight', 'maxPacketBytes'].map((key) => [
    'connections',
    'floor',
    key,
  ]),
  ['connections', 'floor', 'session', 'expiry'],
  ...['heartbeat', 'prefetch', 'confirmTimeout', 'frameMax', 'maxBodyBytes'].map((key) => ['connections', 'erp', key]),
  ...['ping', 'timeout', 'receiveWindow', 'maxStanzaBytes', 'maxDepth', 'priority'].map((key) => [
    'connections',
    'chat',
    key,
  ]),
  ...['attempts', 'maxAge', 'linkLosses'].map((key) => ['routes', 'a', 'retry', key]),
  ['routes', 'a', 'retry', 'backoff', 'min'],
  ['routes', 'a', 'retry', 'backoff', 'max'],
  ['routes', 'a', 'backlog', 'bytes'],
  ['routes', 'a', 'backlog', 'age'],
];

/** Values at the ends of what can be written; the tests leave out those that a file refuses. */
const EXTREMES = [
  '0s',
  '1ms',
  '36525d',
  '36526d',
  '0B',
  '1B',
  '1024TiB',
  '1025TiB',
  0,
  1,
  -1,
  0.5,
  2 ** 31,
  2 ** 53 - 1,
  1e300,
];

/** Settings by which a message may not be taken or kept: that is what they are for. */
const KEEPING: ReadonlySet<string> = new Set([
  'log.retain',
  'log.maxBytes',
  'limits.maxBodyBytes',
  'a.backlog.bytes',
  'a.backlog.age',
]);

type Tree = { [key: string]: unknown };

function set(tree: Tree, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) tree[key] = value;
  else {
    const inner = (tree[key] ?? {}) as Tree;
    tree[key] = inner;
    set(inner, rest, value);
  }
}

async function settings(): Promise<Tree> {
  const port = await silence();
  return {
    version: 1,
    gateway: { id: 'victim', dataDir: './data' },
    http: { port: 0 },
    connections: {
      floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${port}` },
      erp: { type: 'amqp', url: `amqp://127.0.0.1:${port}` },
      chat: { type: 'xmpp', jid: 'a@localhost', password: 'x', url: `xmpp://127.0.0.1:${port}` },
      out: { type: 'memory', broker: 'limits' },
    },
    routes: { a: { from: { connection: 'http', topic: 'a' }, to: { connection: 'out', channel: 'x' } } },
  };
}

describe('settings at the ends of what can be written', () => {
  it('are refused, or the gateway works with them', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      let tried = 0;
      for (const path of SETTINGS) {
        for (const value of EXTREMES) {
          const file = await settings();
          set(file, path, value);
          await writeFile(victim.home.file, JSON.stringify(file));
          const { status } = await ask(`${victim.url}/v1/config/reload`, { method: 'POST' });
          expect([200, 422], `${path.join('.')}: ${value}`).toContain(status);
          if (status === 200)
            expect((await post(`${victim.url}/v1/messages`, { topic: 'a', text: 'x' })).status).toBe(202);
          tried++;
        }
      }
      return tried;
    });
    expectUnharmed(outcome, { growth: 300 });
    expect(victim.gateway.logs()).not.toMatch(/Warning|RangeError|TypeError|Invalid time/);
  });

  it('at the start are refused, or the gateway stores, delivers and stops with all of them together', async () => {
    for (const extreme of [
      ['36525d', '1024TiB', 2 ** 53 - 1],
      ['0s', '0B', 1],
    ] as const) {
      const file = await settings();
      const accepted = await acceptedOf(file, extreme);
      const victim = await startVictim({ ready: false, ...accepted });
      const outcome = await underAttack(
        victim,
        async () => {
          for (let index = 0; index < 20; index++) {
            expect((await post(`${victim.url}/v1/messages`, { topic: 'a', text: 'x' })).status).toBe(202);
            await sleep(50);
          }
          return 20;
        },
        { links: 4 },
      );
      expectUnharmed(outcome, { growth: 150 });
      expect(victim.gateway.logs()).not.toMatch(/Warning|RangeError|TypeError|Invalid time/);
      expect(await victim.gateway.terminate()).toBe(0);
    }
  });
});

/** The settings with each of the extremes that its place takes. */
async function acceptedOf(file: Tree, extremes: readonly unknown[]) {
  const judge = await startVictim();
  for (const path of SETTINGS.filter((each) => !KEEPING.has(each.slice(1).join('.'))))
    for (const value of extremes) {
      const tried = structuredClone(file);
      set(tried, path, value);
      await writeFile(judge.home.file, JSON.stringify(tried));
      const { status } = await ask(`${judge.url}/v1/config/reload?dryRun=true`, { method: 'POST' });
      if (status === 200) set(file, path, value);
    }
  const { gateway, connections, routes } = file as { gateway: Tree; connections: object; routes: object };
  const { id: _, dataDir: __, ...keys } = gateway;
  return { gateway: keys, connections, routes };
}
