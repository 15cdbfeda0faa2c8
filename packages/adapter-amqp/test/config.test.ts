import { amqpAdapter } from '@magpie/adapter-amqp';
import { Secret } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { targetSchema as parser } from '../src/config.ts';
import { targetGuarantee } from '../src/definition.ts';

const { connectionSchema, sourceSchema, targetSchema } = amqpAdapter;
const url = 'amqp://broker';

/** The first complaint about a value: path and sentence. */
function complaint(schema: typeof connectionSchema, value: unknown): string {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  return issue ? `${issue.path.join('.')}: ${issue.message}` : 'fine';
}

describe('a connection', () => {
  it('has defaults', () => {
    expect(connectionSchema.parse({ url })).toEqual({
      url: { secure: false, hostname: 'broker', port: 5672, vhost: '' },
      heartbeat: 10_000,
      prefetch: 1000,
      confirmTimeout: 60_000,
      frameMax: 131_072,
      maxBodyBytes: 16 * 2 ** 20,
      tooLarge: 'reject',
      declare: { exchanges: [], queues: [] },
    });
  });

  it('takes the url apart and keeps its password secret', () => {
    const config = connectionSchema.parse({ url: 'amqps://bob:p%40ss@[::1]:9999/plant%2Fa' });
    expect(config.url).toEqual({
      secure: true,
      hostname: '::1',
      port: 9999,
      vhost: 'plant%2Fa',
      username: 'bob',
      password: new Secret('p@ss'),
    });
    expect(JSON.stringify(config)).not.toContain('p@ss');
  });

  it('completes what is declared', () => {
    const declare = { exchanges: [{ name: 'alarms' }], queues: [{ name: 'inbox', bind: [{ exchange: 'alarms' }] }] };
    expect(connectionSchema.parse({ url, declare }).declare).toEqual({
      exchanges: [{ name: 'alarms', type: 'topic', durable: true, autoDelete: false, arguments: {} }],
      queues: [
        { name: 'inbox', durable: true, arguments: {}, bind: [{ exchange: 'alarms', routingKey: '#', arguments: {} }] },
      ],
    });
  });

  it.each([
    [
      { url: 'mqtt://h' },
      'url: expected a URL such as amqp://host:5672, amqps://host:5671 or amqp://host/vhost, got the scheme "mqtt://"',
    ],
    [{ url: 'bob:secret' }, 'got the scheme "bob://"'],
    [{ url: 'x' }, 'got a text that is not a URL'],
    [{ url: 'amqp://' }, 'got no host'],
    [{ url: 'amqp:///v' }, 'got no host'],
    [{ url: 'amqp://h?heartbeat=5' }, 'write them as keys of the connection, such as heartbeat'],
    [{ url: 'amqp://h/%zz' }, 'a "%" that is not followed by two hexadecimal digits'],
    [{ url, heartbeat: '10' }, 'heartbeat: expected a duration'],
    [{ url, heartbeat: '500ms' }, 'heartbeat: expected a duration from 1s to 3600s'],
    [{ url, prefetch: 0 }, 'prefetch'],
    [{ url, maxBodyBytes: '17MiB' }, 'maxBodyBytes: expected at most 16MiB'],
    [{ url, hearbeat: '10s' }, 'hearbeat'],
    [
      { url, declare: { queues: [{ name: 'é'.repeat(128) }] } },
      'declare.queues.0.name: expected a queue name of at most 255 bytes',
    ],
  ])('%j is refused', (value, sentence) => {
    expect(complaint(connectionSchema, value)).toContain(sentence);
  });

  it('never repeats a password of a url it refuses', () => {
    expect(complaint(connectionSchema, { url: 'http://bob:canary@h' })).not.toContain('canary');
  });
});

describe('a source', () => {
  it('is a queue, with an optional routing key', () => {
    expect(sourceSchema.parse({ queue: 'q', routingKey: 'a.{b}.#' })).toEqual({
      queue: 'q',
      routingKey: 'a.{b}.#',
      dedupe: 'redelivered',
    });
  });

  it.each([
    [{}, 'queue'],
    [{ queue: '#' }, 'expected the name of one queue'],
    [{ queue: 'q-{x}' }, 'expected the name of one queue'],
    [{ queue: 'q', routingKey: 'a.#.b' }, 'routingKey: expected "#" only as the last word'],
    [{ queue: 'q', dedupe: 'always' }, 'dedupe'],
  ])('%j is refused', (value, sentence) => {
    expect(complaint(sourceSchema, value)).toContain(sentence);
  });
});

describe('a target', () => {
  it.each([
    [{}, 'expected either queue or exchange'],
    [{ queue: 'q', exchange: 'x' }, 'expected either queue or exchange'],
    [{ queue: 'q', routingKey: 'k' }, 'routingKey: expected exchange and routingKey, or queue alone'],
    [{ exchange: 'x', routingKey: 'k' }, 'fine'],
    [{ exchange: 'x' }, 'fine'],
  ])('%j: %s', (value, sentence) => {
    expect(complaint(targetSchema, value)).toContain(sentence);
  });

  it.each([
    [{ queue: 'q' }, 'at-least-once', 'confirms'],
    [{ queue: 'q', persistent: false }, 'at-most-once', 'persistent: false'],
    [{ queue: 'q', mandatory: false }, 'at-most-once', 'mandatory: false'],
  ])('%j is %s', (value, level, reason) => {
    const guarantee = targetGuarantee(parser.parse(value));
    expect(guarantee).toMatchObject({ level, reason: expect.stringContaining(reason) });
  });
});
