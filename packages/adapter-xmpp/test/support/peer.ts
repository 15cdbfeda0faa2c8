import { randomUUID } from 'node:crypto';
import type { MessageParts, OutgoingEvent } from '@magpie/contract';
import type { AdapterPeer, PeerMessage } from '@magpie/testkit';
import { client, xml } from '@xmpp/client';
import { decodeMessage } from '../../src/codec/decode.ts';
import { encodeMessage } from '../../src/codec/encode.ts';
import type { Element } from '../../src/codec/stanza/element.ts';
import { acceptDefaults, statusCodes } from '../../src/codec/stanza/muc.ts';

/** Where a peer sends to and which rooms it is in. */
export interface PeerOptions {
  readonly service: string;
  readonly username: string;
  readonly password: string;
  /** `room@service` of every room to be in. */
  readonly rooms?: readonly string[];
}

/** A stock client of the library, used one step at a time: it comes back by itself and loses nothing it has seen. */
export interface StockClient {
  /** Sends a stanza and resolves when the server has answered a ping sent after it. Repeats over lost links. */
  send(stanza: Element): Promise<void>;
  /** Logs in and joins, unless that is so already. */
  online(): Promise<void>;
  readonly messages: readonly Element[];
  close(): Promise<void>;
}

export function stockClient({ service, username, password, rooms = [] }: PeerOptions): StockClient {
  const messages: Element[] = [];
  let current: Promise<ReturnType<typeof client>> | undefined;
  let closed = false;
  let latest: ReturnType<typeof client> | undefined;
  const start = async (): Promise<ReturnType<typeof client>> => {
    const made = client({
      ...{ service, domain: 'localhost', username, password, resource: 'peer' },
      // What the library takes for SCRAM is a second of work, and for each peer of each case.
      credentials: (authenticate) => authenticate({ username, password }, 'PLAIN', xml('user-agent')),
    });
    made.reconnect.stop();
    made.timeout = 5_000;
    latest = made;
    const over = (): void => {
      // The end of a former one may be heard of late, and is not that of this one.
      if (latest !== made) return;
      current = undefined;
      if (!closed) setTimeout(() => void online().catch(() => undefined), 100);
    };
    made.on('error', () => undefined);
    // The library takes no authority for STARTTLS, and this server is on loopback. Its stream management races with what
    // is sent at log-in.
    made.prependListener('element', (element: Element) => {
      if (element.is('features')) element.remove('starttls').remove('sm');
    });
    made.on('disconnect', over);
    made.on('stanza', (stanza: Element) => {
      if (stanza.is('message')) messages.push(stanza);
    });
    await made.start();
    await made.send(xml('presence'));
    for (const room of rooms) await join(made, room, username);
    return made;
  };
  const online = async (): Promise<void> => {
    current ??= start().catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    await current;
  };
  return {
    messages,
    online,
    async send(stanza) {
      const deadline = performance.now() + 10_000;
      for (;;) {
        try {
          await online();
          const live = await current;
          await live?.send(stanza);
          return void (await live?.iqCaller.request(
            xml('iq', { type: 'get' }, xml('ping', { xmlns: 'urn:xmpp:ping' })),
            3_000,
          ));
        } catch (error) {
          if (performance.now() > deadline) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    },
    async close() {
      closed = true;
      const live = await current?.catch(() => undefined);
      await live?.stop().catch(() => undefined);
    },
  };
}

/** Enters a room. One that others have just made is closed until its owner has accepted its defaults: then it is tried again. */
async function join(made: ReturnType<typeof client>, room: string, nick: string): Promise<void> {
  for (;;) {
    const answer = await askToJoin(made, room, nick);
    if (answer.attrs.type !== 'error') {
      if (statusCodes(answer).has('201')) await made.iqCaller.set(acceptDefaults(), room);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function askToJoin(made: ReturnType<typeof client>, room: string, nick: string): Promise<Element> {
  const place = `${room}/${nick}`;
  const answer = Promise.withResolvers<Element>();
  const take = (stanza: Element): void => {
    if (stanza.is('presence') && stanza.attrs.from === place) answer.resolve(stanza);
  };
  made.on('stanza', take);
  const history = xml('history', { maxstanzas: '0' });
  await made.send(xml('presence', { to: place }, xml('x', { xmlns: 'http://jabber.org/protocol/muc' }, history)));
  return answer.promise.finally(() => made.off('stanza', take));
}

/** A peer of the contract suite: one client per sender, in rooms or one to one. */
export function contractPeer(
  senders: Readonly<Record<'source' | 'other', { readonly client: StockClient; readonly to: string }>>,
  type: 'chat' | 'groupchat',
  isReceived: (message: Element) => boolean,
): AdapterPeer {
  return {
    async publish(message, to = 'source') {
      const { client: sender, to: address } = senders[to];
      await sender.send(encodeMessage(outgoing(message), { to: address, type }));
    },
    received: () => senders.source.client.messages.filter(isReceived).map((message) => seen(message)),
  };
}

/** The event of a message that a peer sends. */
export const outgoing = (message: PeerMessage): OutgoingEvent => ({
  ref: randomUUID(),
  delivery: randomUUID(),
  id: randomUUID(),
  headers: [],
  via: [],
  time: Date.now(),
  redelivered: false,
  ...message,
});

const seen = (message: Element): MessageParts => ({ time: Date.now(), ...decodeMessage(message) });
