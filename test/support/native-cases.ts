import { unique } from '@magpie/testkit';
import { xml } from '@xmpp/client';
import { expect } from 'vitest';
import { GATEWAY_ID, type Matrix } from './matrix-world.ts';
import type { Message, SourceName } from './message.ts';

/** What a mapping table says beside the fields that every protocol has. */
export interface NativeCase {
  readonly protocol: 'MQTT' | 'AMQP' | 'XMPP';
  readonly title: string;
  /** Fields as the mapping table of the protocol names them. */
  readonly proves: readonly string[];
  check(matrix: Matrix): Promise<void>;
}

const textMessage = (more: Partial<Message> = {}): Message => ({
  id: unique('native'),
  body: Buffer.from('native'),
  contentType: 'text/plain',
  ...more,
});

/** Sends something else after it, waits until that is shown, and counts what was shown with these ids. */
async function shownOf(matrix: Matrix, source: SourceName, ids: readonly string[]): Promise<number> {
  const fence = textMessage();
  await matrix.sources[source].send('WebSocket', fence);
  await matrix.watcher.shown(fence.id);
  return ids.reduce((sum, id) => sum + matrix.watcher.count(id), 0);
}

const MQTT_CASES: readonly Omit<NativeCase, 'protocol'>[] = [
  {
    title: 'the payload format indicator is a fact of the origin, and text is sent with it',
    proves: ['origin.utf8'],
    check: async ({ mqtt, watcher }) => {
      const sent = textMessage();
      await mqtt.send('MQTT', sent);
      expect((await watcher.shown(sent.id)).origin.utf8).toBe(true);
      expect((await mqtt.packet(sent.id)).properties?.payloadFormatIndicator).toBe(true);
    },
  },
  {
    title: 'bytes are sent without the payload format indicator',
    proves: ['origin.utf8'],
    check: async ({ mqtt }) => {
      const sent = textMessage({ contentType: 'application/octet-stream' });
      await mqtt.send('MQTT', sent);
      expect((await mqtt.packet(sent.id)).properties?.payloadFormatIndicator ?? false).toBe(false);
    },
  },
  {
    title: 'a repeat with the same dedupe property is dropped',
    proves: ['dedupeKey'],
    check: async (matrix) => {
      const headers: Message['headers'] = [['dedupe-id', unique('order')]];
      const [first, second] = [textMessage({ headers }), textMessage({ headers })];
      await matrix.mqtt.send('WebSocket', first);
      await matrix.mqtt.send('WebSocket', second);
      expect(await shownOf(matrix, 'MQTT', [first.id, second.id])).toBe(1);
    },
  },
];

const AMQP_CASES: readonly Omit<NativeCase, 'protocol'>[] = [
  {
    title: 'messages are persistent and name the gateway',
    proves: ['(target option `persistent`)', '(gateway id)'],
    check: async ({ amqp }) => {
      const sent = textMessage();
      await amqp.send('AMQP', sent);
      const { properties } = await amqp.delivery(sent.id);
      expect(properties).toMatchObject({ deliveryMode: 2, appId: `magpie/${GATEWAY_ID}` });
    },
  },
  {
    title: 'a message that properties say everything of has no header table',
    proves: ['delivery'],
    check: async ({ amqp }) => {
      const sent = textMessage({ time: 1_700_000_000_000 });
      await amqp.send('AMQP', sent);
      const { properties } = await amqp.delivery(sent.id);
      expect(properties.headers ?? {}).toEqual({});
    },
  },
  {
    title: 'the user that the broker has checked is a fact of the origin',
    proves: ['origin.userId'],
    check: async ({ amqp, watcher }) => {
      const sent = textMessage();
      await amqp.send('WebSocket', sent);
      expect((await watcher.shown(sent.id)).origin.userId).toBe('magpie');
    },
  },
  {
    title: 'a second delivery with the same message id and body is dropped',
    proves: ['dedupeKey', 'dedupe'],
    check: async (matrix) => {
      const sent = textMessage({ time: Date.now() });
      await matrix.amqp.send('WebSocket', sent);
      await matrix.amqp.send('WebSocket', { ...sent, redelivered: true });
      expect(await shownOf(matrix, 'AMQP', [sent.id])).toBe(1);
    },
  },
];

const GATEWAY = 'magpie@localhost';

const XMPP_CASES: readonly Omit<NativeCase, 'protocol'>[] = [
  {
    title: 'a message is named by its delivery, its sender’s id is in our element',
    proves: ['delivery', 'id'],
    check: async ({ sources, chat }) => {
      const sent = textMessage();
      await sources.HTTP.send('XMPP chat', sent);
      const stanza = await chat.stanza(sent.id);
      expect(stanza.attrs.id).toMatch(/^[0-9a-f-]{36}$/);
      expect(stanza.getChild('origin-id')?.attrs.id).toBe(stanza.attrs.id);
    },
  },
  {
    title: 'ids stamped by the room and given by the sender are facts of the origin',
    proves: ['dedupeKey', 'origin.stanzaId', 'origin.originId'],
    check: async ({ sources, watcher }) => {
      const sent = textMessage();
      await sources['XMPP room'].send('WebSocket', sent);
      const { origin } = await watcher.shown(sent.id);
      expect(origin).toMatchObject({ originId: sent.id, stanzaId: expect.any(String), nick: 'member' });
    },
  },
  {
    title: 'a receipt is an event about the delivery',
    proves: ['kind receipt', 'type delivered'],
    check: async ({ sources, chat, watcher }) => {
      const sent = textMessage();
      await sources.HTTP.send('XMPP chat', sent);
      const { attrs } = await chat.stanza(sent.id);
      const received = xml('received', { xmlns: 'urn:xmpp:receipts', id: attrs.id });
      await chat.write('HTTP', xml('message', { to: GATEWAY, type: 'chat' }, received));
      const shown = await watcher.about(String(attrs.id));
      expect(shown).toMatchObject({ kind: 'receipt', type: 'delivered', address: 'jid:from-http@localhost' });
    },
  },
  {
    title: 'a message that comes back is an event about the delivery',
    proves: ['kind status', 'type bounced'],
    check: async ({ sources, chat, watcher }) => {
      const sent = textMessage();
      await sources.HTTP.send('XMPP chat', sent);
      const { attrs } = await chat.stanza(sent.id);
      // Before the confirmation it would be a refusal, and no event.
      await watcher.confirmed(sent.id);
      const condition = xml('recipient-unavailable', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' });
      const error = xml('error', { type: 'wait' }, condition);
      await chat.write('HTTP', xml('message', { to: String(attrs.from), type: 'error', id: String(attrs.id) }, error));
      const shown = await watcher.about(String(attrs.id));
      expect(shown).toMatchObject({ kind: 'status', type: 'bounced' });
      expect(shown.origin.condition).toBe('recipient-unavailable');
    },
  },
];

/** Cases of one protocol alone. */
export const NATIVE_CASES: readonly NativeCase[] = [
  ...MQTT_CASES.map((each): NativeCase => ({ protocol: 'MQTT', ...each })),
  ...AMQP_CASES.map((each): NativeCase => ({ protocol: 'AMQP', ...each })),
  ...XMPP_CASES.map((each): NativeCase => ({ protocol: 'XMPP', ...each })),
];
