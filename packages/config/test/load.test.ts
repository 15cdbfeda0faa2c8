import { Secret } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { found, load, loadWith } from './helpers.ts';

describe('loading a configuration', () => {
  it('fills in defaults and parses units', () => {
    const { config, problems } = loadWith('');
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      version: 1,
      gateway: {
        id: 'a',
        dataDir: '/etc/magpie/data',
        log: { retain: 7 * 86_400_000, maxBytes: 10 * 2 ** 30 },
        dedupe: { window: 600_000, count: 1_000_000 },
        limits: { maxBodyBytes: 2 ** 20 },
      },
      http: { host: '127.0.0.1', port: 8080, keys: [] },
      routes: {},
      directory: '/etc/magpie',
    });
  });

  it('parses each connection by the schema of its type and adds the built-in one', () => {
    const { config } = loadWith(`connections:
  floor: { type: sample, url: "sample://h", password: pw, subscribe: [{ topic: a/# }] }
`);
    const [floor, http] = config?.connections ?? [];
    expect(floor).toMatchObject({
      name: 'floor',
      config: { keepAlive: 30, mode: 'careful' },
      subscribe: [{ topic: 'a/#' }],
    });
    expect(floor?.config).toHaveProperty('password', expect.any(Secret));
    expect(http).toMatchObject({ name: 'http', subscribe: [] });
  });

  it('keeps routes as they are written, references and all', () => {
    const { config } = loadWith('routes: { r: { from: { topic: "${env:NOPE}" }, to: [] } }');
    expect(config?.routes).toEqual({ r: { from: { topic: '${env:NOPE}' }, to: [] } });
  });

  it('resolves file settings against the directory of the file', () => {
    const { config } = load(`version: 1
gateway: { id: a, dataDir: ../var }
connections:
  near: { type: sample, url: x, tls: { ca: ./ca.pem } }
  far: { type: sample, url: x, tls: { ca: /ca.pem } }
`);
    expect(config?.gateway.dataDir).toBe('/etc/var');
    expect(config?.connections.map((each) => each.config)).toMatchObject([
      { tls: { ca: '/etc/magpie/ca.pem' } },
      { tls: { ca: '/ca.pem' } },
      {},
    ]);
  });

  it('expands anchors and lets top-level x- keys hold them', () => {
    const { config, problems } = loadWith(`x-tls: &tls { ca: ca.pem }
connections:
  a: { type: sample, url: x, tls: *tls }
`);
    expect(problems).toEqual([]);
    expect(config?.connections[0]?.config).toMatchObject({ tls: { ca: '/etc/magpie/ca.pem' } });
  });

  it('reports a file that cannot be read', () => {
    const loaded = load('', { path: '/no/such/file.yaml', text: undefined as never });
    expect(loaded.config).toBeUndefined();
    expect(found(loaded)[0]).toMatch(/1:1 the configuration file cannot be read: ENOENT/);
  });
});
