import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { found, loadWith, revealed, settings, shown } from './helpers.ts';

const connection = (url: string, rest = ''): string => `connections:\n  a: { type: sample, url: ${url}${rest} }\n`;

const files: Readonly<Record<string, string>> = { '/etc/magpie/pw': 's3cret\n', '/run/pw': 'other\r\n' };

const readFile = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
  return text;
};

describe('references', () => {
  it('resolve variables, defaults and files, and report what was used', () => {
    const text = connection('"${env:PROTOCOL:-sample}://${env:HOST}:1"', ', password: "${file:pw}"');
    const loaded = loadWith(text, { env: { HOST: 'h' }, readFile });
    expect(loaded.problems).toEqual([]);
    expect(settings(loaded).url).toBe('sample://h:1');
    expect(revealed(settings(loaded).password)).toBe('s3cret');
    expect(loaded.report).toEqual({
      file: '/etc/magpie/magpie.yaml',
      environment: ['PROTOCOL', 'HOST'],
      files: ['/etc/magpie/pw'],
      secrets: [],
    });
  });

  it('take the default for an empty variable, absolute paths as they are, and drop one CRLF', () => {
    const text = connection('"${env:EMPTY:-x}"', ', password: "${file:/run/pw}"');
    const { url, password } = settings(loadWith(text, { env: { EMPTY: '' }, readFile }));
    expect([url, revealed(password)]).toEqual(['x', 'other']);
  });

  it('become numbers and booleans where the schema wants them', () => {
    const text = `http: { port: "\${env:PORT}" }\n${connection('x', ', clean: "${env:CLEAN}", version: "${env:VERSION}", keepAlive: "${env:KEEP:-7}"')}`;
    const { config, problems } = loadWith(text, { env: { PORT: '9000', CLEAN: 'true', VERSION: '5' } });
    expect(problems).toEqual([]);
    expect(config?.http.port).toBe(9000);
    expect(config?.connections[0]?.config).toMatchObject({ clean: true, version: 5, keepAlive: 7 });
  });

  it('stay texts where the schema wants a text', () => {
    const loaded = loadWith(connection('x', ', password: "${env:PIN}"'), { env: { PIN: '0123' } });
    expect(revealed(settings(loaded).password)).toBe('0123');
  });

  it('are replaced once: what comes in is never read again', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        const loaded = loadWith(connection('"${env:A}"'), { env: { A: value, B: 'never' } });
        return settings(loaded).url === value;
      }),
    );
    const { config } = loadWith(connection('"$${env:B}-${env:A}"'), { env: { A: '${env:B}', B: 'never' } });
    expect(config?.connections[0]?.config).toMatchObject({ url: '${env:B}-${env:B}' });
  });

  it('name the variable that is not set, with a caret under the reference', () => {
    expect(shown(loadWith(connection('"sample://${env:HOST}:1"')))).toBe(
      `/etc/magpie/magpie.yaml:4:37: error: the environment variable HOST is not set
  4 |   a: { type: sample, url: "sample://\${env:HOST}:1" }
    |                                     ^^^^^^^^^^^
  hint: set it (export HOST=…) or give a default: \${env:HOST:-default}
`,
    );
  });

  it('say which file cannot be read and which form is unknown', () => {
    expect(found(loadWith(connection('"${file:gone}"'), { readFile }))).toEqual([
      "4:28 the file gone cannot be read: ENOENT: no such file or directory, open '/etc/magpie/gone'",
    ]);
    expect(found(loadWith(connection('"${HOST}"')))).toEqual([
      '4:28 expected ${env:NAME}, ${env:NAME:-default} or ${file:path}, got another reference',
    ]);
  });

  it('never show the value they brought in', () => {
    const text = `${connection('x', ', password: "${env:P}", keepAlive: "${env:K}", mode: "${env:M}"')}http: { keys: [{ id: a, hash: "\${env:H}", roles: [admin] }] }`;
    const loaded = loadWith(text, { env: { P: '', K: 'hunter2', M: 'hunter2', H: 'hunter2' } });
    expect(found(loaded)).toHaveLength(4);
    expect(shown(loaded)).not.toContain('hunter2');
  });
});
