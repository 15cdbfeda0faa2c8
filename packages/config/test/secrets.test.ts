import { problemsToJson, redactConfig } from '@magpie/config';
import { secretSchema } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { load, loadWith, shown } from './helpers.ts';
import { adapter } from './sample-adapter.ts';

const SECRET = 'tops3cret';

/** Mistakes by which a secret may come to be shown, each with what stands in the file. */
const MISTAKES: Readonly<Record<string, string>> = {
  'a password with # in a URL': `connections: { a: { type: sample, url: "s://shop:${SECRET}#9@h", keepAlive: 0 } }`,
  'a password with / in a URL': `connections: { a: { type: sample, url: "s://shop:${SECRET}/9@h", keepAlive: 0 } }`,
  'a password with a blank and @ in a URL': `connections: { a: { type: sample, url: "s://shop:a ${SECRET}@9@h", keepAlive: 0 } }`,
  'a URL without a scheme': `connections: { a: { type: sample, url: "shop:${SECRET}@h", keepAlive: 0 } }`,
  'a URL of the wrong form': `connections: { a: { type: sample, endpoint: "//shop:${SECRET}@h" } }`,
  'a misspelt key': `connections: { a: { type: sample, url: x, passwrd: ${SECRET} } }`,
  'a misspelt key of several lines': `connections:\n  a:\n    type: sample\n    url: x\n    passwrd: |\n      ${SECRET}\n    bad: 1`,
  'a password where a number belongs': `connections: { a: { type: sample, url: x, keepAlive: ${SECRET} } }`,
  'a password where a list belongs': `connections: { a: { type: sample, url: x, rooms: ${SECRET} } }`,
  'a password where a mapping belongs': `connections: { a: { type: sample, url: x, tls: ${SECRET} } }`,
  'a connection that is a text': `connections: { a: ${SECRET} }`,
  'connections that are a text': `connections: ${SECRET}`,
  'a key in plain text instead of its hash': `http: { keys: [{ id: a, hash: ${SECRET} }] }`,
  'keys that are a text': `http: { keys: ${SECRET} }`,
  'a key of the API that is misspelt': `http: { keey: ${SECRET} }`,
  'a port that is a text': `http: { port: ${SECRET} }`,
  'a type unknown to all': `connections: { a: { type: smple, password: ${SECRET}, login: ${SECRET} } }`,
  'an alias to a secret': `x-a: { password: &p ${SECRET} }\nconnections: { a: { type: sample, url: x, pass: *p } }`,
  'a default of a reference': `connections: { a: { type: sample, url: x, passwrd: "\${env:NO:-${SECRET}}" } }`,
  'a half reference': `connections: { a: { type: sample, url: x, password: "a\${${SECRET}}b" } }`,
  'a file that is no YAML': `connections:\n  a: { type: sample, passwrd: ${SECRET}, url: [ }`,
  'a file that is no YAML, in lines': `connections:\n  a:\n    type: sample\n    passwrd ${SECRET}\n    x: : y`,
  'a file in one pair of braces that is no YAML': `{ connections: { a: { login: ${SECRET}, } }`,
  'an anchor that does not exist': `connections: { a: { type: sample, url: x, login: ${SECRET}, b: *nothing } }`,
  'a key that repeats': `connections: { a: { type: sample, url: x, login: ${SECRET}, login: ${SECRET} } }`,
  'a tag': `connections: { a: { type: sample, url: x, login: !tag ${SECRET} } }`,
};

describe('a secret in the wrong place', () => {
  it.each(Object.entries(MISTAKES))('%s is not shown', (_, text) => {
    const loaded = loadWith(text);
    expect(loaded.problems).not.toEqual([]);
    const all = shown(loaded) + JSON.stringify(problemsToJson(loaded.problems, loaded.source));
    expect(all).not.toContain(SECRET);
    expect(all).not.toContain('9@h');
  });

  it.each(['type', 'url', 'keepAlive', 'mode', 'version', 'password', 'other'])(
    'from the environment under the key %s is not shown',
    (key) => {
      const keys = { type: 'sample', url: 'x', [key]: '${env:KEY}' };
      const loaded = loadWith(`connections: { a: ${JSON.stringify(keys)} }`, { env: { KEY: SECRET } });
      expect(shown(loaded)).not.toContain(SECRET);
    },
  );

  it('from the environment as the host of the API is not shown', () => {
    const loaded = loadWith('http: { host: "${env:KEY}" }', { env: { KEY: SECRET } });
    expect(shown(loaded)).toContain(
      'expected API keys, as the gateway listens beyond this machine (host a text), got none',
    );
    expect(shown(loaded)).not.toContain(SECRET);
  });

  it('in a broken URL is hidden in the configuration in force too', () => {
    const { config } = loadWith(`connections: { a: { type: sample, url: "s://shop:${SECRET}#9@h" } }`);
    expect(JSON.stringify(config && redactConfig(config))).not.toContain(SECRET);
  });
});

describe('the shown line of a mistake', () => {
  it('keeps what is known to be plain, and references', () => {
    const text =
      'connections: { a: { type: sample, url: "s://h", mode: fsat, password: "${env:PW}", x: "${file:f}" } }';
    const rendered = shown(loadWith(text, { env: { PW: 'x' }, readFile: () => 'y' }));
    expect(rendered).toContain(text);
    expect(rendered).toContain('expected fast or careful, got "fsat"');
  });

  it('keeps the user name and the host of a URL, and the columns', () => {
    const rendered = shown(loadWith('connections: { a: { type: sample, url: "s://me:pw@h:1", bad: 1 } }'));
    expect(rendered).toContain('connections: { a: { type: sample, url: "s://me:**@h:1", bad: * } }');
  });

  it('keeps what stands in routes', () => {
    expect(shown(load('version: 1\ngateway: { id: a }\nroutes: { a: !x b }\n'))).toContain('routes: { a: !x b }');
  });
});

it('says what to do about a password that no URL can hold', () => {
  const strict = adapter(
    'strict',
    z.strictObject({
      url: z
        .string()
        .refine((text) => URL.canParse(text) && new URL(text).hash === '', 'expected a URL without "#"')
        .describe('Where the server is.'),
      username: z.string().optional().describe('Who logs in.'),
      password: secretSchema().optional().describe('What it asks for.'),
    }),
  );
  const rendered = shown(
    loadWith(`connections: { a: { type: strict, url: "s://shop:${SECRET}#9@h" } }`, { adapters: [strict] }),
  );
  expect(rendered).toContain(
    'hint: percent-encode characters such as # / ? @ % in the password of a URL, or remove the login',
  );
});

it('names the secrets that stand in the file, not those it refers to', () => {
  const text = `http: { keys: [{ id: a, hash: ${'a'.repeat(64)} }] }
connections:
  a: { type: sample, url: "s://me:pw@h", password: "\${env:PW}" }
  b: { type: sample, url: "s://\${env:U}:\${env:PW}@h", password: pw }
  c: { type: sample, url: "s://h", password: "\${env:PW:-pw}" }
`;
  const { report } = loadWith(text, { env: { PW: 'x', U: 'u' } });
  expect(report.secrets).toEqual(['/connections/a/url', '/connections/b/password', '/connections/c/password']);
});
