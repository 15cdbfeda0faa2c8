import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { type Line, openLine } from '../line.ts';

/** Who logs in where, and the room that is entered. */
export interface Member {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly room: string;
}

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const HEADER =
  '<stream:stream to="localhost" version="1.0" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">';

/**
 * Logs in over plain TCP with SCRAM-SHA-1 (RFC 5802), without stream management, and enters a room without its history. From
 * then on `read` gets every byte.
 */
export async function enterRoom(
  member: Member,
  read: (bytes: Buffer) => void,
  failed: (error: Error) => void,
): Promise<Line> {
  let text = '';
  let inside = false;
  let wake = (): void => undefined;
  const line = await openLine(
    member.port,
    (bytes) => {
      if (inside) return read(bytes);
      text += bytes.toString('utf8');
      wake();
    },
    (error) => {
      failed(error);
      wake();
    },
  );
  const next = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Prosody did not send ${pattern} within 10 s`)), 10_000);
      wake = () => {
        const found = pattern.exec(text);
        if (!found) return;
        text = text.slice(found.index + found[0].length);
        clearTimeout(timer);
        resolve(found);
      };
      wake();
    });
  await login(member, line, next);
  line.write(
    `<presence to="${member.room}/${member.user}"><x xmlns="http://jabber.org/protocol/muc"><history maxstanzas="0"/></x></presence>`,
  );
  // The subject is the last thing a room sends to who enters.
  await next(/<subject/);
  inside = true;
  return line;
}

async function login(
  { user, password }: Member,
  line: Line,
  next: (pattern: RegExp) => Promise<RegExpExecArray>,
): Promise<void> {
  line.write(HEADER);
  await next(/<\/stream:features>/);
  const first = `n=${user},r=${randomBytes(12).toString('hex')}`;
  line.write(`<auth xmlns="${SASL}" mechanism="SCRAM-SHA-1">${base64(`n,,${first}`)}</auth>`);
  const [, challenge = ''] = await next(/<challenge[^>]*>([^<]+)</);
  const answer = scramAnswer(first, Buffer.from(challenge, 'base64').toString(), password);
  line.write(`<response xmlns="${SASL}">${base64(answer)}</response>`);
  await next(/<success/);
  line.write(HEADER);
  await next(/<\/stream:features>/);
  line.write('<iq type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>');
  await next(/<iq[^>]*id=["']bind["']/);
  line.write('<presence/>');
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

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
