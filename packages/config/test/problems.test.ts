import { describe, expect, it } from 'vitest';
import { found, load, loadWith, shown } from './helpers.ts';

describe('problems of a configuration', () => {
  it.each([
    ['a missing version', 'gateway: { id: a }', '1:1 expected the key "version" (1), got nothing'],
    [
      'another version',
      'version: 2\ngateway: { id: a }',
      '1:10 expected version 1, the only one this gateway reads, got 2',
    ],
    [
      'a missing id',
      'version: 1\ngateway: { dataDir: x }',
      '2:1 expected the key "id" (a name of letters, digits, ".", "_" and "-", at most 64 long), got nothing',
    ],
    [
      'a key that repeats',
      'version: 1\ngateway: { id: a }\nroutes: {}\nroutes: {}',
      '4:1 expected each key once per mapping, got this key a second time',
    ],
    [
      'a tag for a condition',
      'version: 1\ngateway: { id: a }\nroutes:\n  r: { when: !payload.ok }',
      '4:14 expected a value, got a YAML tag: a value that begins with "!" must be quoted',
    ],
    [
      'a second document',
      'version: 1\n---\nversion: 1',
      '2:1 expected one YAML document in the file, got a second one',
    ],
    ['a list as the file', '- 1', '1:1 expected a mapping, got a list'],
    ['an alias to nothing', 'version: 1\ngateway: *a', '2:10 expected an anchor "&a" before this alias, got none'],
  ])('locates %s', (_, text, expected) => {
    expect(found(load(text))).toContain(expected);
  });

  it.each([
    ['a wrong type', 'http: { port: "x" }', '3:15 expected a whole number, got a text'],
    [
      'a number out of range',
      'http: {}\nx-a: 1\nconnections: { a: { type: sample, url: x, keepAlive: 0 } }',
      '5:54 expected a number of at least 1, got 0',
    ],
    [
      'a wrong choice',
      'connections: { a: { type: sample, url: x, mode: fasst } }',
      '3:49 expected fast or careful, got "fasst"',
    ],
    ['a missing type', 'connections:\n  a: { url: x }', '4:3 expected the key "type" (sample), got nothing'],
    [
      'a missing key',
      'connections:\n  a: { type: sample }',
      '4:3 expected the key "url" (a URL such as "sample://host:1234"), got nothing',
    ],
    ['an empty connection', 'connections: { a: }', '3:16 expected a mapping with a type (sample), got nothing'],
    [
      'a reserved name',
      'connections: { http: { type: sample, url: x } }',
      '3:16 expected a connection name that is not reserved, got "http"',
    ],
    [
      'a bad name',
      'connections: { "1 a": { type: sample, url: x } }',
      '3:16 expected a connection name of letters, digits, "_" and "-" that starts with a letter, got "1 a"',
    ],
    [
      'subscribe that is no list',
      'connections: { a: { type: sample, url: x, subscribe: 1 } }',
      '3:54 expected a list, got a number',
    ],
    [
      'listening to everyone without keys',
      'http: { host: 0.0.0.0 }',
      '3:15 expected API keys, as the gateway listens beyond this machine (host "0.0.0.0"), got none',
    ],
    [
      'a bad key hash',
      'http: { keys: [{ id: k, hash: abc, roles: [admin] }] }',
      '3:31 expected the SHA-256 of the key as 64 hexadecimal digits, got a text',
    ],
    [
      'a reference outside its sections',
      'x-a: 1\nroutes: {}\nhttp: {}\ngatewy: "${env:A}"',
      '6:9 references are resolved only under "connections" and "http"',
    ],
  ])('locates %s', (_, text, expected) => {
    const loaded = loadWith(text);
    expect(found(loaded)).toContain(expected);
    expect(loaded.config).toBeUndefined();
  });

  it('accepts a public address once there are keys', () => {
    const { config, problems } = loadWith(
      `http: { host: 0.0.0.0, keys: [{ id: k, hash: "sha256:${'AB'.repeat(32)}", roles: [admin] }] }`,
    );
    expect(problems).toEqual([]);
    expect(config?.http.keys).toEqual([{ id: 'k', roles: ['admin'], grants: [], hash: 'ab'.repeat(32) }]);
  });

  it('points at an unknown key and names the nearest valid one', () => {
    expect(shown(loadWith('connections:\n  a:\n    type: sample\n    url: x\n    keepAlve: 5\n'))).toBe(
      `/etc/magpie/magpie.yaml:7:5: error: unknown key "keepAlve"
  7 |     keepAlve: *
    |     ^^^^^^^^
  hint: did you mean "keepAlive"?
`,
    );
  });

  it('knows the common keys of connections when it suggests', () => {
    expect(shown(loadWith('connections: { a: { type: sample, url: x, subscribes: [] } }'))).toContain(
      'did you mean "subscribe"?',
    );
  });

  it('reports every section at once', () => {
    const lines = found(loadWith('http: { prt: 1 }\nconnections: { a: { type: smaple } }\nroutes: []\n'));
    expect(lines).toEqual([
      '3:9 unknown key "prt"',
      '4:27 expected a type, sample, got "smaple"',
      '5:9 expected a mapping, got a list',
    ]);
  });

  it.each(['[', '{a: ', '{'])('refuses a megabyte of %s without parsing it', (piece) => {
    const { problems } = load(piece.repeat(1_000_000 / piece.length));
    expect(problems.map(({ message }) => message)).toEqual([
      'expected YAML with moderate nesting, got nesting that is far too deep',
    ]);
  });

  it('stops alias bombs and bottomless nesting', () => {
    const bomb = Array.from(
      { length: 12 },
      (_, level) => `x-${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`,
    );
    expect(found(loadWith(`x-0: &l0 [1]\n${bomb.join('\n')}`))).toEqual([
      expect.stringMatching(/at most 200000 values/),
    ]);
    expect(found(loadWith(`routes: ${'['.repeat(100)}${']'.repeat(100)}`))).toEqual([
      expect.stringMatching(/64 levels/),
    ]);
    expect(found(loadWith(`routes: ${'['.repeat(50_000)}`)).length).toBeGreaterThan(0);
  });
});
