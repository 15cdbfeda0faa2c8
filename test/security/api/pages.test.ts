import { describe, expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, getting, rawSocket } from '../kit/http.ts';
import { amount } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

/** What a page of another site can say without being asked first. */
const FOREIGN: readonly Readonly<Record<string, string>>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://127.0.0.1.evil.example' },
  { origin: 'http://localhost:1' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { origin: 'https://evil.example', 'content-type': 'text/plain' },
  { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
];

const CHANGES = [
  ...['/v1/config/reload', '/v1/tickets', '/v1/messages', '/v1/targets/r%2Fx/retry', '/v1/targets/r%2Fx/dead-letter'],
  ...['/v1/dead-letters/retry', '/v1/dead-letters/drop'],
];

describe('pages of other sites', () => {
  it('change nothing, whatever they send to an open API on loopback', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      const taken: string[] = [];
      let inputs = 0;
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
        for (const path of CHANGES)
          for (const headers of FOREIGN) {
            inputs++;
            const { status } = await ask(`${victim.url}${path}`, { method, headers });
            if (status < 400) taken.push(`${method} ${path} ${JSON.stringify(headers)}: ${status}`);
          }
      expect(taken).toEqual([]);
      return inputs;
    });
    expectUnharmed(outcome, { growth: 100 });
  });

  it('do not get in by a name of their own that leads to loopback', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      const { port } = new URL(victim.url);
      const hosts = ['evil.example', `evil.example:${port}`, `127.0.0.1.evil.example:${port}`, '[::ffff:7f00:1].evil'];
      for (const host of hosts)
        expect((await ask(`${victim.url}/v1`, { headers: { host } })).status, host).toBeGreaterThanOrEqual(400);
      return hosts.length;
    });
    expectUnharmed(outcome, { growth: 100 });
  });
});

describe('upgrades', () => {
  it('lead nowhere but to the stream, and hold no socket', async () => {
    const victim = await startVictim();
    const upgrade = (path: string, protocol: string): string =>
      getting(
        path,
        `connection: upgrade\r\nupgrade: ${protocol}\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n`,
      );
    const outcome = await underAttack(victim, async () => {
      const paths = ['/livez', '/readyz', '/metrics', '/v1', '/v1/events', '/nowhere'];
      let inputs = 0;
      for (let round = 0; round < amount(5, 100); round++)
        for (const path of paths)
          for (const protocol of ['websocket', 'h2c', 'x'.repeat(100)]) {
            const socket = await rawSocket(victim.url, upgrade(path, protocol));
            socket.on('data', (bytes) => {
              if (String(bytes).startsWith('HTTP/1.1 101')) expect.fail(`101 for ${path} to ${protocol}`);
            });
            inputs++;
          }
      return inputs;
    });
    expectUnharmed(outcome, { growth: 100 });
  });
});
