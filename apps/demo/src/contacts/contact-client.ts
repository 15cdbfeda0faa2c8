import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Client, client, xml } from '@xmpp/client';
import { createInbox } from '../inbox.ts';

type Element = ReturnType<typeof xml>;

const COMMANDS = 'http://jabber.org/protocol/commands';
const FORM = 'jabber:x:data';

/** How a contact is, as a person's list shows it. */
export interface SeenPresence {
  readonly from: string;
  readonly type: string;
  readonly status: string;
}

/** What a contact writes. */
export interface SeenMessage {
  readonly from: string;
  readonly text: string;
  /** Set when it is a file: clients show it instead of the text. */
  readonly url: string | undefined;
}

/** What a client shows of a step of a command. */
export interface SeenStep {
  readonly session: string;
  readonly status: string;
  readonly note: string;
  /** Labels of the fields, or values of a result, as `name: value`. */
  readonly fields: readonly string[];
}

/** A person's client: what it shows, and what can be clicked. */
export interface ContactClient {
  /** The name and the picture of a card; undefined as long as there is no such contact. */
  card(jid: string): Promise<{ readonly name: string; readonly photo: Buffer | undefined } | undefined>;
  add(jid: string): Promise<void>;
  /** Resolves to the next presence of a contact. */
  presence(): Promise<SeenPresence>;
  say(jid: string, text: string): Promise<void>;
  /** Resolves to the next thing that a contact writes. */
  hear(): Promise<SeenMessage>;
  /** Titles of a contact's commands. */
  commands(jid: string): Promise<readonly string[]>;
  /** A step of a command; without fields the first one. */
  step(jid: string, node: string, fields?: Readonly<Record<string, string>>, session?: string): Promise<SeenStep>;
  close(): Promise<void>;
}

/** Logs a person in, at a server whose authority is `ca`. */
export async function startContactClient(
  service: string,
  ca: string,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<ContactClient> {
  // The client library takes no certificate authority of its own.
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(ca, 'utf8')]);
  const chat = client({ service, domain: 'localhost', username: name, password });
  const presences = createInbox<SeenPresence>();
  const messages = createInbox<SeenMessage>();
  chat.on('error', () => undefined); // start() and the hops report the errors that matter
  chat.on('stanza', (stanza: Element) => {
    const { from = '', type = 'available' } = stanza.attrs;
    if (from.startsWith(`${name}@`)) return;
    if (stanza.is('presence')) {
      if (type === 'subscribe') void chat.send(xml('presence', { to: from, type: 'subscribed' }));
      if (type !== 'available' && type !== 'unavailable') return;
      presences.put({ from, type, status: stanza.getChildText('status') ?? '' });
    }
    const text = stanza.is('message') ? stanza.getChildText('body') : null;
    const url = stanza.getChild('x', 'jabber:x:oob')?.getChildText('url') ?? undefined;
    if (text) messages.put({ from, text, url });
  });
  await chat.start();
  await streamManaged(chat);
  await chat.send(xml('presence'));
  const ask = (type: 'get' | 'set', to: string, child: Element): Promise<Element> =>
    chat.iqCaller.request(xml('iq', { type, to }, child));
  return {
    card: async (jid) => {
      const answer = await ask('get', jid, xml('vCard', { xmlns: 'vcard-temp' })).catch(() => undefined);
      const card = answer?.getChild('vCard', 'vcard-temp');
      const photo = card?.getChild('PHOTO')?.getChildText('BINVAL');
      return card && { name: card.getChildText('FN') ?? '', photo: photo ? Buffer.from(photo, 'base64') : undefined };
    },
    add: (jid) => chat.send(xml('presence', { to: jid, type: 'subscribe' })),
    presence: presences.take,
    say: (jid, text) => chat.send(xml('message', { to: jid, type: 'chat' }, xml('body', {}, text))),
    hear: messages.take,
    commands: async (jid) => {
      const query = xml('query', { xmlns: 'http://jabber.org/protocol/disco#items', node: COMMANDS });
      const items = (await ask('get', jid, query)).getChild('query')?.getChildren('item') ?? [];
      return items.map((item) => String(item.attrs.name));
    },
    step: async (jid, node, fields, session) => {
      const command = xml('command', {
        xmlns: COMMANDS,
        node,
        ...(session === undefined ? { action: 'execute' } : { action: 'complete', sessionid: session }),
      });
      if (fields) command.append(submitted(fields));
      return seen((await ask('set', jid, command)).getChild('command', COMMANDS) ?? xml('command'));
    },
    close: async () => void (await chat.stop()),
  };
}

function submitted(fields: Readonly<Record<string, string>>): Element {
  const filled = Object.entries(fields).map(([name, value]) => xml('field', { var: name }, xml('value', {}, value)));
  return xml('x', { xmlns: FORM, type: 'submit' }, ...filled);
}

function seen(command: Element): SeenStep {
  const form = command.getChild('x', FORM);
  const isResult = form?.attrs.type === 'result';
  return {
    session: String(command.attrs.sessionid),
    status: String(command.attrs.status),
    note: command.getChildText('note') ?? '',
    fields: (form?.getChildren('field') ?? []).map((field) =>
      isResult ? `${field.attrs.var}: ${field.getChildText('value')}` : String(field.attrs.label),
    ),
  };
}

const SETTLE_MS = 10;
const SETTLE_TRIES = 200;

/** The library miscounts stanzas that arrive before stream management is on; the server would then end the stream. */
async function streamManaged({ streamManagement }: Client): Promise<void> {
  for (let tries = 0; tries < SETTLE_TRIES && !streamManagement.enabled; tries++) await sleep(SETTLE_MS);
}
