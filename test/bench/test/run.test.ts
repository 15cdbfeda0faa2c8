import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Driver } from '../driver/client.ts';
import type { LatencyResult, ThroughputResult } from '../driver/specification.ts';
import { type BenchPath, type Contender, LOAD } from '../paths/path.ts';
import { runAll } from '../run.ts';
import { type PathRun, runPath } from '../run-path.ts';
import { createBrokers } from '../world/brokers.ts';
import { startChild } from '../world/child.ts';

const FAST: ThroughputResult = {
  ...{ seconds: 2, delivered: 1000, duplicates: 0, lost: 0, refused: 0, machine: 1.5 },
  cpu: { script: 0.5, generator: 0.1 },
  memory: { script: 50 },
  generator: { cores: 0.05, busy: 0.1 },
};
const PACED: LatencyResult = { milliseconds: [1, 2, 3], sent: 3, lost: 0, late: 1, generator: FAST.generator };

/** A generator that answers from these, and remembers the order of calls. */
function driver(fast: (id: string) => ThroughputResult = () => FAST) {
  const calls: string[] = [];
  const answers = {
    open: () => null,
    close: () => null,
    throughput: fast,
    latency: () => PACED,
  } as const;
  const fake: Driver = {
    pid: 1,
    call: async (call, { id }) => {
      calls.push(`${call} ${id}`);
      if (!(call in answers)) throw new Error(`nobody calls ${call} here`);
      return answers[call as keyof typeof answers](id) as never;
    },
    stop: async () => void calls.push('stop'),
  };
  return { fake, calls };
}

const contender = (
  name: string,
  start: Contender['start'] = async () => ({ pid: 0, notes: [], stop: async () => {} }),
) => ({ name, guarantee: 'none', process: 'script', start }) satisfies Contender;

const path = (contenders: readonly Contender[]): BenchPath => ({
  ...{ name: 'p', title: 'P', needs: [], contenders, peers: [], base: 'a' },
  ...LOAD,
  ends: () => ({ source: { kind: 'mqtt', port: 1, qos: 0, topics: ['t'] }, sink: { kind: 'answers' } }),
});

const settings = (fake: Driver, rounds: number): PathRun => ({
  ...{ rounds, seconds: 1, latency: true, brokers: {}, progress: () => undefined, driver: () => fake },
  site: () => ({ name: 's', body: 256, port: () => 1, url: () => '', ca: () => '' }),
});

const run = (contenders: readonly Contender[], fake: Driver, rounds = 2) =>
  runPath(path(contenders), contenders, settings(fake, rounds));

describe('a path', () => {
  it('lets the contenders take turns, round after round', async () => {
    const { fake, calls } = driver();
    const rows = await run([contender('a'), contender('b')], fake);
    const turn = ['throughput 0', 'latency 0', 'throughput 1', 'latency 1'];
    expect(calls).toEqual(['open 0', 'open 1', ...turn, ...turn, 'stop']);
    expect(rows[0]).toMatchObject({ state: 'measured', latency: { p50: 2, p99: 3 }, latencySamples: 6 });
    expect(rows[0]?.rounds[0]).toMatchObject({ perSecond: 500, cpu: { script: 50 }, foreignCores: 0.45 });
  });

  it('goes on without a contender that does not start, and says why', async () => {
    const broken = contender('a', async () => {
      throw new Error('exited with 1 at its start: port 1883 is taken');
    });
    const rows = await run([broken, contender('b')], driver().fake);
    expect(rows[0]).toMatchObject({ state: 'failed', reason: 'exited with 1 at its start: port 1883 is taken' });
    expect(rows[1]).toMatchObject({ state: 'measured' });
  });

  it('goes on without a contender that fails in a round', async () => {
    const { fake } = driver((id) => {
      if (id === '0') throw new Error('nothing arrived within 9 s');
      return FAST;
    });
    const rows = await run([contender('a'), contender('b')], fake);
    expect(rows[0]).toMatchObject({ state: 'failed', reason: 'nothing arrived within 9 s', rounds: [] });
    expect(rows[1]?.rounds).toHaveLength(2);
  });

  it('looks at each contender after all rounds, while everybody is connected; a look that fails is its row alone', async () => {
    const { fake, calls } = driver();
    const contenders = [contender('a'), contender('b')];
    const after = async ({ name }: Contender): Promise<void> => {
      calls.push(`look ${name}`);
      if (name === 'a') throw new Error('did not say how much memory is in use');
    };
    const rows = await runPath(path(contenders), contenders, { ...settings(fake, 1), latency: false, after });
    expect(calls.slice(-4)).toEqual(['throughput 1', 'look a', 'look b', 'stop']);
    expect(rows.map(({ state }) => state)).toEqual(['failed', 'measured']);
  });

  it('begins no round after its deadline', async () => {
    const contenders = [contender('a')];
    const { fake, calls } = driver();
    const rows = await runPath(path(contenders), contenders, { ...settings(fake, 2), deadline: performance.now() - 1 });
    expect(rows).toMatchObject([{ state: 'measured', rounds: [] }]);
    expect(calls).toEqual(['open 0', 'stop']);
  });

  it.each([
    ['used a core', { cores: 0.92, busy: 0.5 }],
    ['was never idle', { cores: 0.5, busy: 0.99 }],
  ])('marks a row invalid when the generator %s', async (_, generator) => {
    const rows = await run([contender('a')], driver(() => ({ ...FAST, generator })).fake);
    expect(rows[0]).toMatchObject({ state: 'invalid' });
    expect(rows[0]?.reason).toMatch(/^the generator was the limit/);
  });

  it('notes what was lost, refused or delivered twice', async () => {
    const { fake } = driver(() => ({ ...FAST, lost: 1000, duplicates: 2, refused: 3 }));
    const rows = await run([contender('a')], fake, 1);
    expect(rows[0]?.notes).toEqual([
      'had messages refused',
      'delivered some messages twice',
      expect.stringMatching(/^lost \d+(\.\d+)? % of the messages$/),
    ]);
  });
});

describe('a whole run', () => {
  it('says in the rows which broker is missing, and goes on', async () => {
    const missing = async () => {
      throw new Error('The program "mosquitto" was not found in PATH: install it.\nlog line');
    };
    const brokers = createBrokers({ mosquitto: missing, mosquitto2: missing, rabbitmq: missing, prosody: missing });
    const needy = { ...path([contender('a'), contender('b')]), name: 'needy', needs: ['mosquitto'] as const };
    const results = await runAll([needy, needy], {
      options: { rounds: 1, seconds: 1, peers: false, quick: true },
      ...{ brokers, progress: () => undefined, done: () => undefined },
    });
    expect(results).toHaveLength(2);
    for (const { rows } of results) {
      expect(rows.map(({ reason }) => reason)).toEqual(
        Array(2).fill('mosquitto cannot be started: The program "mosquitto" was not found in PATH: install it.'),
      );
    }
  });
});

describe('a program under test', () => {
  it('that finds its port taken says so', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const listen = `require('node:net').createServer().listen(${port}, '127.0.0.1')`;
    const child = await startChild(process.execPath, ['-e', listen]);
    await expect(child.says(/^ready$/m)).rejects.toThrow(/^exited with 1 at its start: Error: listen EADDRINUSE/);
    await child.stop();
    server.close();
  });

  it('that cannot be started says so', async () => {
    await expect(startChild('/no/such/program', [])).rejects.toThrow(/^could not be started: .*ENOENT/);
  });

  it('keeps its directory when it is killed, and the next one there starts with an empty output', async () => {
    const first = await startChild(process.execPath, ['-e', 'console.log("ready 1"); setInterval(() => {}, 1000)']);
    await first.says(/ready 1/);
    await first.kill();
    expect(() => process.kill(first.pid, 0)).toThrow('ESRCH');
    const { directory } = first;
    const second = await startChild(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { directory });
    expect(second.output()).toBe('');
    await second.stop();
    await first.stop();
    expect(existsSync(directory)).toBe(false);
  });

  it('says how much memory is in use when it is asked', async () => {
    const probe = pathToFileURL(join(import.meta.dirname, '../world/live-memory.ts')).href;
    const hold = 'globalThis.held = Buffer.alloc(64 * 2 ** 20); console.log("ready"); setInterval(() => {}, 1000)';
    const child = await startChild(process.execPath, ['--expose-gc', '--import', probe, '-e', hold]);
    await child.says(/ready/);
    process.kill(child.pid, 'SIGUSR2');
    const [, bytes] = await child.says(/^live (\d+)$/m);
    expect(Number(bytes) / 2 ** 20).toBeGreaterThan(64);
    expect(Number(bytes) / 2 ** 20).toBeLessThan(128);
    await child.stop();
  });

  it('is gone after it was stopped', async () => {
    const child = await startChild(process.execPath, ['-e', 'console.log("ready 7"); setInterval(() => {}, 1000)']);
    expect((await child.says(/ready (\d+)/))[1]).toBe('7');
    await child.stop();
    expect(() => process.kill(child.pid, 0)).toThrow('ESRCH');
  });
});
