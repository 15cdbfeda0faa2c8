import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/gateway-process.ts';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask } from '../kit/http.ts';
import { someOf } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

const SECRET = 'tops3cret';

/** Sections of a file with a secret where a mistake has put it. */
const MISTAKES: Readonly<Record<string, string>> = {
  'a misspelt password': `connections: { floor: { type: mqtt, url: "mqtt://h", passwrd: ${SECRET} } }`,
  'a misspelt key of TLS': `connections: { floor: { type: mqtt, url: "mqtts://h", tls: { passfrase: ${SECRET} } } }`,
  'a misspelt password of a room': `connections: { chat: { type: xmpp, jid: a@b, password: x, rooms: [{ room: r@c, pasword: ${SECRET} }] } }`,
  'a URL with # in its password': `connections: { erp: { type: amqp, url: "amqp://shop:${SECRET}#9@127.0.0.1" } }`,
  'a URL with / in its password': `connections: { erp: { type: amqp, url: "amqp://shop:${SECRET}/9@127.0.0.1" } }`,
  'a URL without a scheme': `connections: { erp: { type: amqp, url: "shop:${SECRET}@127.0.0.1" } }`,
  'a URL of another protocol': `connections: { erp: { type: amqp, url: "mqtt://shop:${SECRET}@127.0.0.1" } }`,
  'a URL where a name belongs': `connections: { floor: { type: mqtt, url: "mqtt://h", clientId: ["mqtt://a:${SECRET}@h"] } }`,
  'a key in place of its hash': `http: { keys: [{ id: app, hash: "${SECRET}", roles: [admin] }] }`,
  'a key in place of the list of keys': `http: { keys: ${SECRET} }`,
  'a password under a key of another section': `gateway: { id: a, password: ${SECRET} }`,
  'a password as a number': `connections: { floor: { type: mqtt, url: "mqtt://h", receiveMaximum: ${SECRET} } }`,
  'a password in a broken line': `connections:\n  floor:\n    type: mqtt\n    password ${SECRET}\n    url: [`,
  'a password behind an unknown reference': `connections: { floor: { type: mqtt, url: "mqtt://h", password: "\${vault:${SECRET}}" } }`,
  'a variable where a type belongs': 'connections: { floor: { type: "${env:MAGPIE_TEST_SECRET}" } }',
  'a variable where a size belongs': 'gateway: { id: a, log: { maxBytes: "${env:MAGPIE_TEST_SECRET}" } }',
  'a file where a host belongs': 'http: { host: "${file:secret.txt}" }',
};

const SECTIONS = ['version', 'gateway', 'http'] as const;

/** A whole file: sections that a mistake does not bring along are there as they should be. */
function fileWith(mistake: string): string {
  const lines = { version: 'version: 1', gateway: 'gateway: { id: a }', http: 'http: { port: 0 }' };
  return [...SECTIONS.filter((name) => !mistake.startsWith(`${name}:`)).map((name) => lines[name]), mistake].join('\n');
}

describe('a secret in the wrong place of the configuration', () => {
  it('is shown by no command, no answer and no line of the log', async () => {
    process.env.MAGPIE_TEST_SECRET = SECRET;
    const victim = await startVictim({ connections: { out: { type: 'memory', broker: 'secrets' } } });
    await writeFile(join(victim.home.directory, 'secret.txt'), SECRET);
    const shown = new Map<string, string>();
    const outcome = await underAttack(victim, async () => {
      for (const [what, mistake] of Object.entries(MISTAKES)) {
        await writeFile(victim.home.file, fileWith(mistake));
        const reload = await ask(`${victim.url}/v1/config/reload`, { method: 'POST' });
        expect(reload.status, what).toBe(422);
        const inForce = await ask(`${victim.url}/v1/config`);
        const entry = await ask(`${victim.url}/v1`);
        shown.set(what, `${reload.body}${inForce.body}${entry.body}`);
      }
      // One that repeats all of them for the commands: each start of the runtime takes a while.
      const commands = [
        ['check'],
        ['check', '--json'],
        ['check', '--junit'],
        ['run', '-c'],
        ['explain', 'floor', 'a', '-c'],
      ];
      for (const args of someOf(commands, 2)) {
        const connections = Object.values(MISTAKES).flatMap((text, index) => {
          const inner = /^connections: \{ \w+: (\{.*\}) \}$/.exec(text)?.[1];
          return inner === undefined ? [] : [`  c${index}: ${inner}`];
        });
        await writeFile(
          victim.home.file,
          `version: 1\ngateway: { id: a }\nhttp: { keey: ${SECRET} }\nconnections:\n${connections.join('\n')}\n`,
        );
        const { code, stdout, stderr } = await runCli(...args, victim.home.file);
        expect(code, args.join(' ')).toBe(1);
        shown.set(args.join(' '), stdout + stderr);
      }
      return shown.size;
    });
    delete process.env.MAGPIE_TEST_SECRET;
    expectUnharmed(outcome, { growth: 150 });
    for (const [what, text] of [...shown, ['the log', victim.gateway.logs()] as const])
      expect(text, what).not.toContain(SECRET);
  });
});
