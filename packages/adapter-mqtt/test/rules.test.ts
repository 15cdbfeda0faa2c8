import { ERROR_CLASSES } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topicAddress, wrongFilter } from '../src/codec/address.ts';
import { connectionSchema } from '../src/config.ts';
import { mqttAdapter } from '../src/definition.ts';
import { condemnsMessage, REASONS, reasonError, socketError } from '../src/errors.ts';
import { filterSet, planSubscriptions } from '../src/receive/filters.ts';
import { createReplayMemory } from '../src/receive/replay-memory.ts';

const url = 'mqtt://127.0.0.1:1883';
const issuesOf = (schema: 'connectionSchema' | 'sourceSchema', keys: object): string =>
  mqttAdapter[schema]
    .safeParse(keys)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('\n') ?? '';

const source = (topic: string, qos: 0 | 1 | 2 = 1, noLocal = false) => ({
  pattern: {
    scheme: 'topic',
    segments: topic.split('/').map((value) => {
      if (value === '+') return { type: 'one' as const };
      return value === '#' ? { type: 'many' as const } : { type: 'literal' as const, value };
    }),
  },
  options: { topic, qos, noLocal },
});

describe('configuration', () => {
  it('fills in the defaults', () => {
    expect(mqttAdapter.connectionSchema.parse({ url })).toMatchObject({
      version: 5,
      keepalive: 30_000,
      session: { expiry: 7 * 86_400_000 },
      receiveMaximum: 1000,
      maxPacketBytes: 2 * 1024 * 1024,
    });
    expect(mqttAdapter.connectionSchema.parse({ url, version: '3.1.1' })).toMatchObject({ version: 3 });
  });

  it.each([
    [{ url: 'http://x' }, /url: expected a URL such as "mqtt:/],
    [{ url: 'mqtt://me:secret@x' }, /url: expected a URL without a login.*username and password/],
    [{ url: 'mqtt://x/path' }, /url: expected a URL with only a host and a port/],
    [{ url, tls: { ca: 'ca.pem' } }, /tls: expected a URL that starts with mqtts:.*because tls is set/],
    [{ url: 'mqtts://x', tls: { cert: 'c.pem' } }, /tls: expected both cert and key/],
    [{ url, version: 3, dedupe: { userProperty: 'uid' } }, /dedupe: dedupe needs version 5/],
    [{ url, version: 3, password: 'p' }, /password: a password needs a username/],
    [{ url, keepalive: '1ms' }, /keepalive: expected between 1s/],
    [{ url, will: { topic: 'a/#' } }, /will.topic: the wildcard/],
    [{ url, will: { topic: 'a', text: 'x', base64: 'eA==' } }, /will: expected at most one of/],
  ])('refuses %j', (keys, message) => expect(issuesOf('connectionSchema', keys)).toMatch(message));

  it.each([
    ['$share/g/a', /not supported/],
    ['a/#/b', /only be the last level/],
    ['a/b+', /whole level/],
    ['a\nb', /control/],
  ])('refuses the filter %j', (topic, message) => expect(issuesOf('sourceSchema', { topic })).toMatch(message));

  it('takes captures, wildcards and explicit $SYS filters', () => {
    for (const topic of ['plant/{device}/alarm', 'a/+/b/#', '#', '$SYS/broker/#', '{all*}']) {
      expect(wrongFilter(topic)).toBeUndefined();
    }
  });

  it('says what each direction loses at worst', () => {
    const config = connectionSchema.parse({ url });
    const clean = connectionSchema.parse({ url, session: { expiry: '0s' } });
    const { source: from, target: to } = mqttAdapter.guarantees;
    expect(from(config, { topic: 'a', qos: 0, noLocal: false })).toMatchObject({
      level: 'at-most-once',
      reason: '"a" is received at QoS 0',
    });
    expect(from(config, { topic: 'a', qos: 2, noLocal: false }).level).toBe('at-least-once');
    expect(from(clean, { topic: 'a', qos: 1, noLocal: false })).toMatchObject({ level: 'at-most-once' });
    expect(to(config, { topic: 'a', qos: 0 }).level).toBe('at-most-once');
    expect(to(config, { topic: 'a', qos: 1 }).level).toBe('at-least-once');
  });
});

describe('addresses', () => {
  it('refuses broker topics and control characters to send to', () => {
    expect(topicAddress.check(['$SYS', 'x'])).toMatch(/leading "\$"/);
    expect(topicAddress.check(['a', '$x'])).toBeUndefined();
    expect(topicAddress.check(['a\tb'])).toMatch(/control/);
  });

  it('encodes any value to one level that may be sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (value) => {
        const level = topicAddress.encode(value);
        expect(level).not.toMatch(/[/+#\p{Cc}]/u);
        if (!/\p{Noncharacter_Code_Point}/u.test(level)) expect(topicAddress.check(['a', level])).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  }, 20_000);
});

describe('subscriptions', () => {
  it('merges equal filters and leaves out covered ones', () => {
    const plan = planSubscriptions([
      source('a/+', 0),
      source('a/+', 2),
      source('a/b'),
      source('c/#', 0),
      source('c/d', 1),
      source('c/e', 0),
    ]);
    expect([...plan.values()]).toEqual([
      { filter: 'a/+', qos: 1, noLocal: false },
      { filter: 'c/#', qos: 0, noLocal: false },
      { filter: 'c/d', qos: 1, noLocal: false },
    ]);
  });

  it('says no-local only when every source of the filter does, and never lets it stand in for another', () => {
    const plan = planSubscriptions([
      source('a', 1, true),
      source('a', 1, false),
      source('b/#', 1, true),
      source('b/c', 1, false),
    ]);
    expect([...plan.values()].map(({ filter, noLocal }) => [filter, noLocal])).toEqual([
      ['a', false],
      ['b/#', true],
      ['b/c', false],
    ]);
  });

  it.each([
    ['a/#', 'a', true],
    ['a/#', 'a/b/+', true],
    ['+/b', 'a/b', true],
    ['+', '#', false],
    ['a/+', 'a/#', false],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
  ])('%s covers %s: %s', (filter, other, covered) => expect(filterSet([filter]).covers(other)).toBe(covered));
});

describe('reason codes', () => {
  it('gives every code a class for every reply', () => {
    for (const code of Object.keys(REASONS).map(Number)) {
      for (const reply of ['connect', 'publish', 'subscribe', 'disconnect'] as const) {
        expect(Object.keys(ERROR_CLASSES)).toContain(reasonError(reply, code, 'it').name);
      }
    }
  });

  it.each([
    ['connect', 4, 'AuthFailed'],
    ['connect', 5, 'AuthFailed'],
    ['connect', 3, 'NotConnected'],
    ['connect', 0x84, 'ConfigInvalid'],
    ['connect', 0x86, 'AuthFailed'],
    ['connect', 0x88, 'NotConnected'],
    ['publish', 0x87, 'Rejected'],
    ['publish', 0x90, 'Rejected'],
    ['publish', 0x95, 'TooLarge'],
    ['publish', 0x97, 'Throttled'],
    ['publish', 0x99, 'Rejected'],
    ['publish', 0x80, 'Transient'],
    ['subscribe', 0x87, 'ConfigInvalid'],
    ['disconnect', 0x8e, 'Conflict'],
    ['disconnect', 0x8b, 'NotConnected'],
    ['publish', 0xff, 'Transient'],
  ] as const)('answers to %s with 0x%s as %s', (reply, code, name) => {
    const error = reasonError(reply, code, 'the broker said no', 'because');
    expect(error.name).toBe(name);
    expect(error.message).toMatch(/^the broker said no: .*\("because"\), reason code 0x[0-9A-F]{2}$/);
  });

  it('knows which ones condemn a message', () => {
    expect([0x95, 0x99, 0x8b, 0x97].map(condemnsMessage)).toEqual([true, true, false, false]);
  });

  it('advises on certificates only where they are at fault', () => {
    const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
    expect(socketError('host:1', expired).message).toMatch(/renew the server's certificate/);
    expect(socketError('host:1', Object.assign(new Error(''), { code: 'ECONNREFUSED' })).message).toMatch(
      /ECONNREFUSED.*whether the broker runs/,
    );
  });
});

describe('replay memory', () => {
  it('recognises only what was stored last, and forgets the oldest topics', () => {
    const memory = createReplayMemory(2);
    const [one, two] = [Buffer.from('1'), Buffer.from('2')];
    memory.stored('live', one, false);
    expect(memory.repeats('live', one)).toBe(false);
    memory.stored('a', one, true);
    expect([memory.repeats('a', one), memory.repeats('a', two)]).toEqual([true, false]);
    memory.stored('a', two, false);
    expect([memory.repeats('a', one), memory.repeats('a', two)]).toEqual([false, true]);
    memory.stored('b', one, true);
    memory.stored('c', one, true);
    expect(memory.repeats('a', two)).toBe(false);
  });
});
