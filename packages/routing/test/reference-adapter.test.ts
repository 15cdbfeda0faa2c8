import { memoryAdapter } from '@magpie/adapter-memory';
import { createAddressBook } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { type ConnectionInfo, compileRoutes } from '../src/index.ts';
import { event } from './support/adapters.ts';

const connection = (name: string, config: object = {}): ConnectionInfo => ({
  ...{ name, adapter: memoryAdapter, config: memoryAdapter.connectionSchema.parse(config), subscribe: [] },
});
const connections = new Map(
  [connection('one'), connection('two'), connection('bare', { metadata: false })].map((each) => [each.name, each]),
);
const compile = (routes: unknown) =>
  compileRoutes({ routes, connections, gatewayId: 'gw', book: createAddressBook([memoryAdapter]) });

describe('routes between connections of the reference adapter', () => {
  it('match, render and pass their own tests', () => {
    const { routes, problems } = compile({
      r: {
        from: { connection: 'one', channel: 'plant/{device}/#' },
        allow: ['*'],
        when: 'origin.sender != "me"',
        to: { connection: 'two', channel: 'copy/${device}', retain: '${payload.keep}', payload: '${payload.n}' },
        tests: [
          {
            given: { channel: 'plant/p7/state', payload: { n: 5, keep: true }, origin: { sender: 'you' } },
            expect: [{ connection: 'two', channel: 'copy/p7', retain: true, payload: 5 }],
          },
        ],
      },
    });
    expect(problems).toEqual([]);
    expect(routes.test()).toMatchObject([{ name: '#1' }]);
    expect(routes.test()[0]).not.toHaveProperty('failure');
    const given = {
      source: 'one',
      address: { scheme: 'channel', segments: ['plant', 'p7'] },
      json: { n: 1, keep: false },
    };
    const received = event({ ...given, origin: { channel: 'plant/p7', sender: 'you' } });
    expect(routes.match(received)[0]?.target.render(received).target).toEqual({
      address: { scheme: 'channel', segments: ['copy', 'p7'] },
      options: { channel: 'copy/p7', retain: false },
    });
  });

  it('are refused in a loop without metadata', () => {
    const { problems } = compile({
      there: { allow: ['*'], from: { connection: 'one', channel: 'a' }, to: { connection: 'bare', channel: 'a' } },
      back: { allow: ['*'], from: { connection: 'bare', channel: '#' }, to: { connection: 'one', channel: 'a' } },
    });
    expect(problems).toMatchObject([{ severity: 'error', pointer: '/routes/there/to' }]);
  });
});
