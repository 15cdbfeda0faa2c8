import { redactConfig } from '@magpie/config';
import { describe, expect, it } from 'vitest';
import { loadWith, shown } from './helpers.ts';

const text = `http: { keys: [{ id: app, hash: ${'a'.repeat(64)}, roles: [viewer] }] }
connections:
  a: { type: sample, url: "sample://me:hunter2@h:1/x", password: hunter2, subscribe: [{ topic: x }] }
routes: { r: { to: [] } }
`;

describe('showing a configuration', () => {
  it('hides secrets, key hashes and passwords in URLs', () => {
    const { config } = loadWith(text);
    const json = JSON.parse(JSON.stringify(config && redactConfig(config)));
    expect(JSON.stringify(json)).not.toContain('hunter2');
    expect(json).toMatchObject({
      version: 1,
      http: { port: 8080, keys: [{ id: 'app', hash: '[secret]', roles: ['viewer'], grants: [] }] },
      connections: {
        a: { type: 'sample', url: 'sample://me:[secret]@h:1/x', password: '[secret]', subscribe: [{ topic: 'x' }] },
        http: { type: 'http' },
      },
      routes: { r: { to: [] } },
    });
  });

  it('masks secrets in the shown line of a problem', () => {
    const lines = [
      'connections: { a: { type: sample, url: "s://u:hunter2@h", password: hunter2, bad: 1 } }',
      'connections: { a: { type: sample, url: s, password: "hunter2", bad: 1 } }',
      "connections: { a: { type: sample, 'password': 'hunter2', bad: 1 } }",
      'connections: { a: { password: hunter2, bad: !tag } }',
    ];
    for (const line of lines) {
      expect(shown(loadWith(line))).toContain('^');
      expect(shown(loadWith(line))).not.toContain('hunter2');
    }
  });

  it('leaves references visible: they are not the secret', () => {
    const rendered = shown(loadWith('connections: { a: { type: sample, url: x, password: "${env:P}" } }'));
    expect(rendered).toContain('password: "${env:P}"');
  });
});
