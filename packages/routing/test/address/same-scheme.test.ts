import { type AnyAdapter, createAddressBook, pathScheme } from '@magpie/contract';
import { expect, it } from 'vitest';
import { compileRoutes } from '../../src/index.ts';
import { bodyFor, event, info, pathAdapter } from '../support/adapters.ts';

/** Another protocol whose scheme is called `path` too, with dots between its segments. */
const dottedAdapter: AnyAdapter = {
  ...pathAdapter,
  type: 'dotted',
  addresses: [pathScheme({ scheme: 'path', word: 'path', separator: '.', one: '*', maxBytes: 200 })],
};

const connections = new Map(
  [info('floor', pathAdapter), info('mill', dottedAdapter)].map((each) => [each.name, each] as const),
);
const book = createAddressBook([pathAdapter, dottedAdapter]);
const compile = (routes: unknown) => compileRoutes({ routes, connections, gatewayId: 'gw', book });
const shown = { text: '${event.address} ${event.replyTo}' };
const address = { scheme: 'path', segments: ['a', 'x'] };

it('an address has the text form of the connection it came from, though another protocol has a scheme of that name', () => {
  const { routes, problems } = compile({
    one: { from: { connection: 'mill', path: 'a.*' }, to: { connection: 'floor', path: 'out/b', ...shown } },
    two: { from: { connection: 'floor', path: 'a/+' }, to: { connection: 'mill', path: 'out.b', ...shown } },
  });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(bodyFor(routes, event({ source: 'mill', address, replyTo: address }))).toBe('path:a.x path:a.x');
  expect(bodyFor(routes, event({ source: 'floor', address, replyTo: address }))).toBe('path:a/x path:a/x');
});

it('a route test compares an address in the form of the connection it goes to', () => {
  const { routes } = compile({
    one: {
      from: { connection: 'floor', path: 'a/+' },
      to: { connection: 'mill', path: 'out.b', text: 'x' },
      tests: [
        { given: { path: 'a/x', text: 'x' }, expect: [{ connection: 'mill', path: 'out.b' }] },
        { given: { path: 'a/x', text: 'x' }, expect: [{ connection: 'mill', path: 'out/b' }] },
      ],
    },
  });
  const [right, wrong] = routes.test().map(({ failure }) => failure);
  expect(right).toBeUndefined();
  expect(wrong).toContain('expected "out/b", got "out.b"');
});
