import { type AddressScheme, type AnyAdapter, createAddressBook, type SourceRequest } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compileRoutes } from '../../src/index.ts';
import { info, officeAdapter, pathAdapter } from '../support/adapters.ts';

/** A place with a name, and an action at it: the words of the one are among those of the other. */
const scheme = (name: string, words: readonly string[]): AddressScheme => ({
  scheme: name,
  words,
  split: (given) => words.map((word) => given[word] ?? ''),
  splitPattern: (given) => words.map((word) => given[word] ?? ''),
  join: (segments) => Object.fromEntries(words.map((word, index) => [word, segments[index] ?? ''])),
  parse: (value) => value.split('/'),
  format: (segments) => segments.join('/'),
  wildcard: () => undefined,
  encode: (value) => value,
  check: () => undefined,
});

const adapter: AnyAdapter = {
  ...officeAdapter,
  type: 'panel',
  addresses: [scheme('box', ['box']), scheme('action', ['action', 'box'])],
  sourceSchema: z.strictObject({ box: z.string().optional(), action: z.string().optional() }),
  readsTerms: ({ action }) => action !== undefined,
  objections: {
    together: (_config, sources: readonly SourceRequest[]) =>
      sources.map((_, index) => (index < 2 ? undefined : 'one too many')),
  },
};

const connections = new Map([info('panel', adapter), info('floor', pathAdapter)].map((each) => [each.name, each]));
const SCHEMA = { type: 'object', properties: { level: { type: 'integer' } } };
const compile = (routes: unknown) =>
  compileRoutes({
    ...{ routes, connections, gatewayId: 'gw', book: createAddressBook([adapter, pathAdapter]) },
    readJsonFile: () => SCHEMA,
  });
const to = { connection: 'floor', path: 'out/x' };

describe('what a connection is told of routes', () => {
  it('is who may use them, what bodies look like and how long an answer is waited for, of sources that it asks for', () => {
    const { routes, problems } = compile({
      plain: { from: { connection: 'panel', box: '{name}' }, payloadSchema: 'level.json', to },
      asking: {
        from: { connection: 'panel', box: '{name}', action: 'set' },
        payloadSchema: 'level.json',
        to,
        reply: { from: { path: 'answers' }, timeout: '7s', text: 'ok' },
      },
    });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const [plain, asking] = routes.sources('panel');
    expect(plain?.pattern.scheme).toBe('box');
    expect(plain?.terms).toBeUndefined();
    expect(asking?.pattern).toMatchObject({ scheme: 'action', segments: [{ type: 'literal', value: 'set' }, {}] });
    expect(asking?.terms).toEqual({ schema: SCHEMA, answerWithin: 7_000 });
  });

  it('may be refused by it, at the route that does not go with the others', () => {
    const from = { connection: 'panel', box: 'a' };
    const { problems } = compile({ one: { from, to }, two: { from, to }, three: { from, to } });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([
      { severity: 'error', pointer: '/routes/three/from', message: 'one too many' },
    ]);
  });
});
