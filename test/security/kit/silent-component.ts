import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * Connects as a component of an XMPP server (XEP-0114) that takes every stanza and answers none: a room service that hangs. It
 * goes with the test.
 */
export async function silentComponent(port: number, domain: string, secret: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.setEncoding('utf8').on('error', () => undefined);
  let said = '';
  socket.on('data', (text: string) => {
    said += text;
  });
  const hear = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(said);
      if (found) return found[1] ?? '';
      await once(socket, 'data');
    }
  };
  socket.write(
    `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
  );
  const id = await hear(/<stream:stream[^>]*\sid=['"]([^'"]+)['"]/);
  said = '';
  socket.write(`<handshake>${createHash('sha1').update(`${id}${secret}`).digest('hex')}</handshake>`);
  await hear(/(<handshake\/>|<handshake><\/handshake>)/);
}
