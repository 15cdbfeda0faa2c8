import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { ProsodyBroker } from '@magpie/brokers';
import { waitFor } from '@magpie/testkit';
import { type Client, client, xml } from '@xmpp/client';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { type Message, SOURCES, type Source, type SourceName, slug, TARGETS, type Target } from './message.ts';
import { type Element, humanStanza, machineStanza, readStanza } from './xmpp-wire.ts';

/** What travels within a message is compared here; what goes as a file has tests of its own. */
const WITHIN = { upload: 'never' } as const;
const ROOMS = 'conference.localhost';
const PASSWORD = 'chatter-secret';

/** A source that can also speak as a person: text only. */
export interface Speaker extends Source {
  say(target: (typeof TARGETS)[number], message: Message): Promise<void>;
}

/** The accounts that `chatSide` logs in with: one per target to send from, one per source to receive with, one for rooms. */
export const CHAT_USERS = [
  ...TARGETS.map((target) => `to-${slug(target)}`),
  ...SOURCES.map((source) => `from-${slug(source)}`),
  'member',
].map((name) => ({ name, password: PASSWORD }));

/** Logs in; `read` gets every stanza. The client library takes no certificate authority of its own, so the process trusts it. */
export async function login(
  { urls, ca }: Pick<ProsodyBroker, 'urls' | 'ca'>,
  username: string,
  password: string,
  read: (stanza: Element) => void,
): Promise<Client> {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(ca, 'utf8')]);
  const connection = client({ service: urls.plain, domain: 'localhost', username, password });
  connection.on('error', () => undefined); // start() rejects with it
  connection.on('stanza', read);
  await connection.start();
  // The library counts wrongly what comes before stream management is on, and the server then ends the stream.
  await waitFor(() => connection.streamManagement.enabled, { what: 'stream management' });
  await connection.send(xml('presence'));
  return connection;
}

interface Got {
  readonly read: Message;
  readonly stanza: Element;
}

const readInto = (mailbox: Mailbox<Got>) => (stanza: Element) => {
  const read = readStanza(stanza);
  if (read) mailbox.put(read.id, { read, stanza });
};

/** One-to-one chats with the gateway's account. */
export interface ChatSide extends Speaker, Target {
  /** The stanza that brought the message with this id. */
  stanza(id: string): Promise<Element>;
  /** Sends a stanza as the user who reads what comes from this source. */
  write(source: SourceName, stanza: Element): Promise<void>;
  close(): Promise<void>;
}

/** Logs everyone in: users `to-…` write, users `from-…` read. */
export async function chatSide(broker: ProsodyBroker, gateway: string): Promise<ChatSide> {
  const mailbox = createMailbox<Got>();
  const names = CHAT_USERS.map(({ name }) => name).filter((name) => name !== 'member');
  const clients = new Map<string, Client>();
  for (const name of names) clients.set(name, await login(broker, name, PASSWORD, readInto(mailbox)));
  const sender = (target: string): Client => clients.get(`to-${slug(target)}`)!;
  return {
    from: (target) => ({ jid: `to-${slug(target)}@localhost` }),
    to: (source) => ({ jid: `from-${slug(source)}@localhost`, ...WITHIN }),
    send: async (target, sent) => void (await sender(target).send(machineStanza(gateway, 'chat', sent))),
    say: async (target, sent) => void (await sender(target).send(humanStanza(gateway, 'chat', sent))),
    receive: async (_, id) => (await mailbox.take(id)).read,
    stanza: async (id) => (await mailbox.take(id)).stanza,
    write: (source, stanza) => clients.get(`from-${slug(source)}`)!.send(stanza),
    close: async () => void (await Promise.all([...clients.values()].map((each) => each.stop()))),
  };
}

/** The gateway's rooms: `to-…` are written to, `from-…` read. */
export interface RoomSide extends Speaker, Target {
  /** Enters all rooms as a member; to be called before anything else. Resolves to how to leave. */
  join(broker: ProsodyBroker): Promise<() => Promise<void>>;
}

/** Makes the rooms of a prefix. */
export function roomSide(prefix: string): RoomSide {
  const mailbox = createMailbox<Got>();
  let member: Client;
  const room = (direction: 'to' | 'from', other: string): string => `${prefix}-${direction}-${slug(other)}@${ROOMS}`;
  return {
    from: (target) => ({ room: room('to', target) }),
    to: (source) => ({ room: room('from', source), ...WITHIN }),
    send: async (target, sent) => void (await member.send(machineStanza(room('to', target), 'groupchat', sent))),
    say: async (target, sent) => void (await member.send(humanStanza(room('to', target), 'groupchat', sent))),
    receive: async (_, id) => (await mailbox.take(id)).read,
    join: async (broker) => {
      const joined = createMailbox<true>();
      const read = readInto(mailbox);
      member = await login(broker, 'member', PASSWORD, (stanza) => {
        const [from, nick] = String(stanza.attrs.from).split('/');
        if (stanza.is('presence') && nick === 'member') joined.put(String(from), true);
        // Rooms send everyone their own words as well.
        if (nick !== 'member') read(stanza);
      });
      const rooms = [...TARGETS.map((target) => room('to', target)), ...SOURCES.map((source) => room('from', source))];
      for (const each of rooms) await enter(member, each);
      for (const each of rooms) await joined.take(each);
      return async () => void (await member.stop());
    },
  };
}

const enter = (member: Client, room: string): Promise<void> =>
  member.send(
    xml(
      'presence',
      { to: `${room}/member` },
      xml('x', { xmlns: 'http://jabber.org/protocol/muc' }, xml('history', { maxstanzas: '0' })),
    ),
  );
