import { expect, test } from 'vitest';
import { configuration, fileWith, route, startWorld } from '../support/fixtures.ts';
import { magpie } from '../support/process.ts';

const LIMIT = { timeout: 60_000 };

const CHAT = '  chat: { type: xmpp, jid: magpie@example.org, password: secret }';
const FILE = configuration('any', [route('a', 'one')], { connections: [CHAT] });

test.each([
  [['tail', '--url', 'garbage'], "option '--url <url>' argument 'garbage' is invalid. Expected a URL such as http://"],
  [['publish', 'a', 'b', '--url', 'ftp://a'], 'Expected a URL such as http://'],
  [['explain', '-c', 'FILE', 'floor', 'x', '--kind', 'mesage'], 'Allowed choices are message, presence'],
  [['explain', '-c', 'FILE', 'floor', 'x', 'y', '--origin', '{bad'], 'magpie: --origin: expected a JSON object'],
  [['explain', '-c', 'FILE', 'chat', 'room:nope', 'y'], 'expected an address of connection chat, got "room:nope": '],
  [['run', '-c', 'FILE', '--log-level', 'loud'], 'Allowed choices are debug, info'],
  [['run', '-c', '/nowhere/magpie.yaml'], 'ENOENT: no such file or directory'],
  [['tail', '--key', 'a b'], 'magpie: the key (--key or MAGPIE_KEY): expected visible ASCII characters'],
  [['trace', 'x', '--url', 'http://127.0.0.1:9'], 'Is it running? Use --url to name another.'],
])('magpie %j ends with a sentence and 1', LIMIT, async (args, sentence) => {
  const path = fileWith(FILE);
  const { code, stderr } = await magpie(...args.map((arg) => (arg === 'FILE' ? path : arg)));
  expect(stderr).toContain(sentence);
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  expect(code).toBe(1);
});

test('a port that is taken ends run with a sentence before any connection is made', LIMIT, async () => {
  const { url } = await startWorld([route('a', 'one')]);
  const { port } = new URL(url);
  const path = fileWith(FILE.replace('port: 0', `port: ${port}`));
  const { code, stderr } = await magpie('run', '-c', path);
  expect(stderr).toBe(
    `magpie: cannot listen on 127.0.0.1:${port}: another process uses that port; stop it, or set http.port to another one (0 takes a free one)\n`,
  );
  expect(code).toBe(1);
});
