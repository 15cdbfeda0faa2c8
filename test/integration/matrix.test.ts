import { unique, useBrokers, useSharedBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, TEXTS } from '../support/cases.ts';
import { GATEWAY_ID, type Matrix, matrixWorld } from '../support/matrix-world.ts';
import { type Message, SOURCES, TARGETS } from '../support/message.ts';
import { NATIVE_CASES } from '../support/native-cases.ts';
import { survivor } from '../support/survives.ts';
import { CHAT_USERS } from '../support/xmpp-side.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq');
const own = useBrokers({ prosody: { users: [{ name: 'magpie', password: 'magpie-secret' }, ...CHAT_USERS] } });
let matrix: Matrix;

beforeAll(async () => {
  const { mosquitto, rabbitmq } = shared;
  const brokers = { mqtt: mosquitto.urls.plain, amqp: rabbitmq.urls.plain, prosody: own.prosody };
  matrix = await matrixWorld(brokers, unique('matrix'));
}, 60_000);

afterAll(() => matrix.close());

/** Relative lifetimes are counted anew at each hop, in whole seconds at the coarsest. */
const EXPIRY_SLACK_MS = 3000;

/** What the reader must see, with what the gateway adds. */
function expected(survived: Message, read: Message, marked: boolean): object {
  const { via = [], time = expect.any(Number), expiresAt, headers = [], ...rest } = survived;
  const near = Math.abs((read.expiresAt ?? 0) - (expiresAt ?? 0)) <= EXPIRY_SLACK_MS;
  return {
    ...rest,
    headers: [...headers].sort(byName),
    via: marked ? [...via, GATEWAY_ID] : via,
    time,
    ...(expiresAt === undefined ? {} : { expiresAt: near ? read.expiresAt : expiresAt }),
  };
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

const readable = (read: Message): object => ({ ...read, headers: [...(read.headers ?? [])].sort(byName) });

describe.each(SOURCES)('from %s', (source) => {
  describe.each(TARGETS)('to %s', (target) => {
    it.each(CASES)('arrives: $title', async ({ message }) => {
      const sent: Message = { ...message, id: unique('message') };
      await matrix.sources[source].send(target, sent);
      const read = await matrix.targets[target].receive(source, sent.id);
      expect(readable(read)).toEqual(expected(survivor(sent, source, target), read, target !== 'WebSocket'));
    });
  });
});

describe.each(NATIVE_CASES)('$protocol', ({ title, check }) => {
  it(title, () => check(matrix));
});

describe.each(SOURCES)('an event from %s', (source) => {
  it('shows where it came from in the words of its protocol', async () => {
    const sent: Message = { id: unique('message'), body: Buffer.from('from where?'), contentType: 'text/plain' };
    await matrix.sources[source].send('WebSocket', sent);
    const [[scheme, value] = []] = Object.entries(matrix.sources[source].from('WebSocket'));
    expect((await matrix.watcher.shown(sent.id)).address).toBe(`${scheme}:${value}`);
  });
});

describe.each(['XMPP chat', 'XMPP room'] as const)('a person in an %s', (source) => {
  describe.each(TARGETS)('to %s', (target) => {
    it.each(Object.entries(TEXTS))('is understood: %s', async (_, text) => {
      const body = Buffer.from(text);
      const sent: Message = { id: unique('said'), body, correlationId: 'talk-7' };
      await matrix.speakers[source].say(target, sent);
      const read = await matrix.targets[target].receive(source, sent.id);
      expect(read).toMatchObject({ ...sent, contentType: 'text/plain; charset=utf-8' });
    });
  });
});
