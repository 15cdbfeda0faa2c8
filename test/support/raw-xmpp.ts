import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitFor } from '@magpie/testkit';

/** A chat client without a library, so that it can send what no library would. */
export interface RawChat {
  /** Sends this text as it is. */
  send(text: string): void;
  /** Resolves when the iq with this id is answered: what was sent before it has been handled. */
  answer(id: string): Promise<unknown>;
  /** Resolves to the next stanza text that fits; what was read before is forgotten. */
  next(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when the server has closed the connection. */
  ended(): Promise<unknown>;
  close(): void;
}

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const HEADER =
  '<stream:stream to="localhost" version="1.0" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">';

/**
 * Logs in over plain TCP with SCRAM-SHA-1 (RFC 5802), binds a resource and sends presence.
 * @param take gets everything from the bound resource on, instead of `next` and `answer`; presence is the caller's then.
 */
export async function rawChat(
  port: number,
  user: string,
  password: string,
  take?: (text: string) => void,
): Promise<RawChat> {
  const socket = connect(port, '127.0.0.1');
  const read = reader(socket);
  socket.write(HEADER);
  await read(/<\/stream:features>/);
  const nonce = randomBytes(12).toString('hex');
  const first = `n=${user},r=${nonce}`;
  socket.write(`<auth xmlns="${SASL}" mechanism="SCRAM-SHA-1">${base64(`n,,${first}`)}</auth>`);
  const [, challenge = ''] = await read(/<challenge[^>]*>([^<]+)</);
  socket.write(`<response xmlns="${SASL}">${base64(scramAnswer(first, unbase64(challenge), password))}</response>`);
  await read(/<success/);
  socket.write(HEADER);
  await read(/<\/stream:features>/);
  socket.write('<iq type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>');
  await read(/<iq[^>]*(?:id="bind"|id='bind')/);
  if (take) socket.removeAllListeners('data').on('data', take);
  else socket.write('<presence/>');
  return {
    send: (text) => void socket.write(text),
    answer: (id) => read(new RegExp(`<iq[^>]*id=["']${id}["']`)),
    next: read,
    ended: () => once(socket, 'close'),
    close: () => socket.destroy(),
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const unbase64 = (text: string): string => Buffer.from(text, 'base64').toString();

/** The client's final message for the server's challenge. */
function scramAnswer(first: string, challenge: string, password: string): string {
  const [, nonce = '', salt = '', rounds = ''] = /r=([^,]+),s=([^,]+),i=(\d+)/.exec(challenge) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(rounds), 20, 'sha1');
  const clientKey = createHmac('sha1', salted).update('Client Key').digest();
  const storedKey = createHash('sha1').update(clientKey).digest();
  const last = `c=biws,r=${nonce}`;
  const signature = createHmac('sha1', storedKey).update(`${first},${challenge},${last}`).digest();
  return `${last},p=${Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!)).toString('base64')}`;
}

/** Waits for a pattern in what the server sends; what was read before is forgotten. */
function reader(socket: Socket): (pattern: RegExp) => Promise<RegExpExecArray> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return async (pattern) => {
    const found = await waitFor(() => pattern.exec(text), { what: `${pattern} from the server` });
    text = text.slice(found.index + found[0].length);
    return found;
  };
}
