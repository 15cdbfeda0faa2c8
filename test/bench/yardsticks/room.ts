import { once } from 'node:events';
import { client, xml } from '@xmpp/client';

/** Logs in and enters a room; resolves when the room has said so. */
export async function enter(service: string, username: string, password: string, room: string) {
  const chat = client({ service, domain: 'localhost', username, password });
  chat.on('error', (error) => console.error(error));
  await chat.start();
  // The library counts wrongly what comes before stream management is on, and the server then ends the stream.
  while (!chat.streamManagement.enabled) await once(chat, 'nonza');
  const entered = new Promise<void>((resolve) => {
    chat.on('stanza', (stanza) => {
      if (stanza.is('message') && stanza.getChild('subject')) resolve();
    });
  });
  await chat.send(xml('presence'));
  const history = xml('history', { maxstanzas: '0' });
  await chat.send(
    xml('presence', { to: `${room}/script` }, xml('x', { xmlns: 'http://jabber.org/protocol/muc' }, history)),
  );
  await entered;
  return chat;
}
