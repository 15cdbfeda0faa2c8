import { setTimeout as sleep } from 'node:timers/promises';
import type { ProsodyBroker } from '@magpie/brokers';
import { type Client, xml } from '@xmpp/client';
import { login } from '../../../support/xmpp-side.ts';
import type { Element } from '../../../support/xmpp-wire.ts';
import type { Reader, Recorder } from './ends.ts';

const MAM = 'urn:xmpp:mam:2';
const MUC = 'http://jabber.org/protocol/muc';
const RSM = 'http://jabber.org/protocol/rsm';
const POLL_MS = 250;
const ANSWER_MS = 2000;

/** Where to read, and as whom. */
export interface ArchiveOptions {
  readonly broker: ProsodyBroker;
  readonly room: string;
  readonly user: { readonly name: string; readonly password: string };
}

/**
 * Reads what a room has seen from its archive (XEP-0313), page by page, until the end of the test. An occupant would not do as a
 * witness: after an outage it may come back to the room later than the gateway and miss what was said in between.
 */
export const archiveReader = (options: ArchiveOptions, record: Recorder): Reader =>
  archivedStanzas(options, (message) => {
    const body = message.getChildText('body');
    if (body) record(body, message.getChild('event')?.getChildText('id') ?? undefined, false);
  });

/** As `archiveReader`, with each message as it was said. */
export function archivedStanzas(options: ArchiveOptions, read: (message: Element) => void): Reader {
  const state = { closed: false, last: '' };
  const loop = async (): Promise<void> => {
    while (!state.closed) {
      await readUntilLost(options, state, read);
      await sleep(POLL_MS);
    }
  };
  const running = loop();
  return {
    close: async () => {
      state.closed = true;
      await running;
    },
  };
}

interface Place {
  closed: boolean;
  /** Archive id of the last message read; empty at the beginning. */
  last: string;
}

async function readUntilLost(
  { broker, room, user }: ArchiveOptions,
  place: Place,
  read: (message: Element) => void,
): Promise<void> {
  let client: Client | undefined;
  try {
    client = await login(broker, user.name, user.password, (stanza) => readResult(stanza, place, read));
    client.reconnect.stop();
    await client.send(entering(room));
    while (!place.closed && client.status === 'online') {
      const before = place.last;
      await client.iqCaller.request(query(room, before), ANSWER_MS);
      if (place.last === before) await sleep(POLL_MS);
    }
  } catch {
    // The server is away: the caller tries again.
  }
  await client?.disconnect().catch(() => undefined); // it is lost already, in most cases
}

/** Makes the room when it does not exist yet: without it there is no archive to ask for. */
const entering = (room: string): Element =>
  xml('presence', { to: `${room}/witness` }, xml('x', { xmlns: MUC }, xml('history', { maxstanzas: '0' })));

const query = (room: string, last: string): Element =>
  xml(
    'iq',
    { type: 'set', to: room },
    xml(
      'query',
      { xmlns: MAM },
      xml('set', { xmlns: RSM }, xml('max', {}, '250'), ...(last ? [xml('after', {}, last)] : [])),
    ),
  );

function readResult(stanza: Element, place: Place, read: (message: Element) => void): void {
  const result = stanza.getChild('result', MAM);
  const message = result?.getChild('forwarded')?.getChild('message');
  if (!result || !message) return;
  place.last = String(result.attrs.id);
  read(message);
}
