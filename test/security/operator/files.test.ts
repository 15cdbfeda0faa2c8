import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '@magpie/brokers';
import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { gatewayHome, runCli } from '../../support/gateway-process.ts';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, post } from '../kit/http.ts';
import { someOf } from '../kit/settings.ts';
import { startVictim, type Victim } from '../kit/victim.ts';

/** Puts something else in the place of a file. */
type Replace = (path: string) => Promise<unknown>;

const LINES = 'x'.repeat(70);

/** What may stand where a configuration should, besides one. */
const FILES: Readonly<Record<string, Replace>> = {
  'a pipe that nobody writes to': (path) => run('mkfifo', [path]),
  'a device without end': (path) => symlink('/dev/zero', path),
  'a directory': (path) => mkdir(path),
  'a link to itself': (path) => symlink(path, path),
  'a link to nowhere': (path) => symlink('/nowhere', path),
  'a file of 3 GB of nothing': async (path) => {
    await writeFile(path, '');
    await truncate(path, 3_000_000_000);
  },
  'a file of 600 MB': async (path) => {
    await writeFile(path, 'version: 1\n');
    await truncate(path, 600_000_000);
  },
  'a file of a million characters': (path) => writeFile(path, `${LINES}: 1\n`.repeat(14_000)),
  'a file of brackets': (path) => writeFile(path, '['.repeat(1_000_000)),
  'a file of braces': (path) => writeFile(path, '{a: '.repeat(200_000)),
  'a list of lists': (path) => writeFile(path, '- '.repeat(100_000)),
  'aliases that multiply': (path) =>
    writeFile(
      path,
      `a0: &a0 [x, x]\n${Array.from({ length: 60 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`).join('\n')}\n`,
    ),
  'an alias inside itself': (path) => writeFile(path, 'version: 1\ngateway: &g { id: a, x: *g }\n'),
  'merge keys': (path) =>
    writeFile(
      path,
      'x-a: &a { id: a }\nversion: 1\ngateway: { <<: *a }\nconnections: { <<: { __proto__: { a: 1 } } }\n',
    ),
  'keys of prototypes': (path) =>
    writeFile(
      path,
      'version: 1\ngateway: { id: a, __proto__: { dataDir: /nowhere } }\nconnections: { __proto__: { type: memory }, constructor: { type: toString } }\n' +
        'routes: { __proto__: { from: { connection: constructor } }, toString: { from: { connection: __proto__, topic: "{constructor}" }, to: { connection: hasOwnProperty } } }\n',
    ),
  'bytes that are no text': (path) => writeFile(path, Buffer.alloc(100_000, 0xfe)),
  'nothing but NULs': (path) => writeFile(path, Buffer.alloc(100_000)),
  'controls and turned text': (path) =>
    writeFile(
      path,
      'version: 1\ngateway: { id: "\u202ea", "\u2066x\u001b[2J": 1 }\nconnections: { "\u202efloor": { type: memory } }\n',
    ),
};

async function replace({ home: { file } }: Pick<Victim, 'home'>, by: Replace): Promise<void> {
  await rm(file, { recursive: true, force: true });
  await by(file);
}

describe('a configuration that is none', () => {
  it('is refused with a sentence by a gateway that runs, which goes on with what it has', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      for (const [what, by] of Object.entries(FILES)) {
        await replace(victim, by);
        const answer = await ask(`${victim.url}/v1/config/reload`, { method: 'POST', timeout: 30_000 });
        expect(answer.status, `${what}: ${answer.body}`).toBe(422);
        expect(JSON.parse(answer.body).problems.length, what).toBeGreaterThan(0);
        await sleep(300); // The watch looks as well.
      }
      return Object.keys(FILES).length;
    });
    expectUnharmed(outcome, { growth: 700 });
  });

  it.each(someOf(Object.entries(FILES), 2))('is refused by the commands: %s', async (_, by) => {
    const home = await gatewayHome('');
    await replace({ home }, by);
    for (const args of [['check'], ['run', '-c']]) {
      const { code, stdout, stderr } = await runCli(...args, home.file);
      expect(code).toBe(1);
      expect(stdout + stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u001b\u202e\u2066]/);
      expect((stdout + stderr).length).toBeGreaterThan(40);
    }
    await home.remove();
  });

  it('is refused where a secret or a certificate is referred to', async () => {
    const victim = await startVictim();
    const pipe = join(victim.home.directory, 'pipe');
    await run('mkfifo', [pipe]);
    const outcome = await underAttack(victim, async () => {
      const secret = (path: string) => ({
        type: 'mqtt',
        url: 'mqtt://127.0.0.1:1',
        username: 'a',
        password: `\${file:${path}}`,
      });
      const certificate = (path: string) => ({ type: 'mqtt', url: 'mqtts://127.0.0.1:1', tls: { ca: path } });
      const file = (connections: object) =>
        writeFile(
          victim.home.file,
          JSON.stringify({ version: 1, gateway: { id: 'victim' }, http: { port: 0 }, connections }),
        );
      for (const path of [pipe, '/dev/zero', '/', '/nowhere']) {
        await file({ floor: secret(path) });
        const refused = await ask(`${victim.url}/v1/config/reload`, { method: 'POST' });
        expect(refused.status, path).toBe(422);
      }
      // As many as there are threads for files in a process: all of them would hang.
      await file(
        Object.fromEntries(
          Array.from({ length: 8 }, (_, index) => [`c${index}`, certificate(index < 6 ? pipe : '/dev/zero')]),
        ),
      );
      expect((await ask(`${victim.url}/v1/config/reload`, { method: 'POST' })).status).toBe(200);
      await waitFor(async () => (await ask(`${victim.url}/v1/connections`)).body.split('a regular file').length > 8, {
        what: 'every connection to say what is wrong',
        timeout: 20_000,
        interval: 200,
      });
      return 12;
    });
    expectUnharmed(outcome, { growth: 150 });
  });
});

describe('two gateways', () => {
  it('never write into one data directory, whatever the paths by which they come to it', async () => {
    const victim = await startVictim();
    const { directory } = victim.home;
    await symlink(victim.dataDir, join(directory, 'link'));
    await symlink(join(directory, 'link'), join(directory, 'link-of-link'));
    await mkdir(join(directory, 'beside'));
    const paths = [
      './data',
      './link',
      './link-of-link',
      './beside/../data',
      `${victim.dataDir}/.`,
      `/proc/self/root${victim.dataDir}`,
    ];
    const outcome = await underAttack(victim, async () => {
      for (const dataDir of paths) {
        const file = join(directory, 'second.yaml');
        await writeFile(file, JSON.stringify({ version: 1, gateway: { id: 'second', dataDir }, http: { port: 0 } }));
        const { code, stderr } = await runCli('run', '-c', file);
        expect(code, dataDir).toBe(1);
        expect(stderr, dataDir).toMatch(/is in use by|another process|uses/);
      }
      return paths.length;
    });
    expectUnharmed(outcome, { growth: 100 });
  });

  it('lose nothing when the data directory is a link that is pointed elsewhere while they run', async () => {
    const home = await gatewayHome(
      JSON.stringify({ version: 1, gateway: { id: 'linked', dataDir: './link' }, http: { port: 0 } }),
    );
    await mkdir(join(home.directory, 'one'));
    await mkdir(join(home.directory, 'two'));
    await symlink(join(home.directory, 'one'), join(home.directory, 'link'));
    const gateway = await home.start();
    expect((await post(`${gateway.url}/v1/messages`, { topic: 'a', text: 'before' })).status).toBe(202);
    await symlink(join(home.directory, 'two'), join(home.directory, 'next'));
    await rename(join(home.directory, 'next'), join(home.directory, 'link'));
    const refs: string[] = [];
    let ended: number | null | undefined;
    void gateway.ended.then((code) => {
      ended = code;
    });
    for (let count = 0; count < 20 && ended === undefined; count++) {
      const answer = await post(`${gateway.url}/v1/messages`, { topic: 'a', text: `${count}` }).catch(() => undefined);
      if (answer?.status === 202) refs.push(String(JSON.parse(answer.body).ref));
      await sleep(100);
    }
    await gateway.kill();
    if (ended !== undefined) expect(ended).toBe(70);
    // Whatever it has acknowledged stands where it has begun to write.
    await rm(join(home.directory, 'link'));
    await symlink(join(home.directory, 'one'), join(home.directory, 'link'));
    const again = await home.start();
    for (const ref of refs) expect((await ask(`${again.url}/v1/messages/${ref}`)).status).toBe(200);
    await home.remove();
  });
});
