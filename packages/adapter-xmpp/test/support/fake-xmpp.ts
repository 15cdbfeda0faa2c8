import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Peer } from '@magpie/testkit';

export const PASSWORD = 'fake-secret';
const SALT = Buffer.from('salt of the fake');
const ITERATIONS = 4096;

/** Answers the client's stream header with features. */
export async function openStream(peer: Peer, features: string): Promise<void> {
  await peer.expect(/<stream:stream[^>]*>/);
  peer.send(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s' from='localhost' version='1.0'><stream:features>${features}</stream:features>`,
  );
}

export const mechanisms = (...names: readonly string[]): string =>
  `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${names.map((name) => `<mechanism>${name}</mechanism>`).join('')}</mechanisms>`;

/** Takes the first message of a SCRAM exchange and answers with the challenge. */
export async function challenge(peer: Peer): Promise<{ readonly bare: string; readonly first: string }> {
  const auth = (await peer.expect(/<auth[^>]*>[^<]*<\/auth>/)).toString();
  const bare = decode(auth).slice('n,,'.length);
  const nonce = `${/r=(.*)$/.exec(bare)?.[1]}server`;
  const first = `r=${nonce},s=${SALT.toString('base64')},i=${ITERATIONS}`;
  peer.send(`<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${encode(first)}</challenge>`);
  return { bare, first };
}

/** Logs the client in by SCRAM-SHA-256. `impostor`: signs with another password, as a server that does not know ours. */
export async function authenticate(peer: Peer, impostor = false): Promise<void> {
  await openStream(peer, mechanisms('PLAIN', 'SCRAM-SHA-256'));
  const { bare, first } = await challenge(peer);
  const final = decode((await peer.expect(/<response[^>]*>[^<]*<\/response>/)).toString());
  const withoutProof = final.slice(0, final.indexOf(',p='));
  const message = `${bare},${first},${withoutProof}`;
  const salted = pbkdf2Sync(impostor ? 'guess' : PASSWORD, SALT, ITERATIONS, 32, 'sha256');
  const mac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const stored = createHash('sha256').update(mac(salted, 'Client Key')).digest();
  const proof = Buffer.from(final.slice(final.indexOf(',p=') + 3), 'base64');
  const key = Buffer.from(mac(stored, message).map((byte, index) => byte ^ (proof[index] ?? 0)));
  const genuine = createHash('sha256').update(key).digest().equals(stored);
  if (!genuine && !impostor) throw new Error('the client has not proved the password');
  const signature = mac(mac(salted, 'Server Key'), message).toString('base64');
  peer.send(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${encode(`v=${signature}`)}</success>`);
}

const MANAGED = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>";

/** Offers what comes after the login. */
export const offerSession = (peer: Peer, more = ''): Promise<void> => openStream(peer, MANAGED + more);

/** Binds a resource and takes `<enable/>`; the caller answers it. */
export async function bind(peer: Peer): Promise<void> {
  const id = await iqId(peer, 'urn:ietf:params:xml:ns:xmpp-bind');
  peer.send(
    `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@localhost/r</jid></bind></iq>`,
  );
  await peer.expect(/<enable [^>]*\/>/);
}

export const ENABLED = "<enabled xmlns='urn:xmpp:sm:3' id='session-1' resume='true'/>";

/** Answers the question about the account's features. */
export async function answerDisco(peer: Peer): Promise<void> {
  const id = await iqId(peer, 'http://jabber.org/protocol/disco#info');
  peer.send(`<iq type='result' id='${id}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`);
}

/** Refuses to make copies (XEP-0280), which is asked for behind the first presence. */
export async function refuseCopies(peer: Peer): Promise<void> {
  peer.send(`<iq type='error' id='${await iqId(peer, 'urn:xmpp:carbons:2')}'/>`);
}

/** A whole login with a new session. `behind` stands in the same write as `<enabled/>`, `offers` among the features. */
export async function newSession(peer: Peer, behind = '', offers = ''): Promise<void> {
  await authenticate(peer);
  await offerSession(peer, offers);
  await bind(peer);
  peer.send(ENABLED + behind);
  await answerDisco(peer);
}

/** A whole login where the server no longer knows the session that the client wants to resume. */
export async function forgottenSession(peer: Peer): Promise<void> {
  await authenticate(peer);
  await offerSession(peer);
  await peer.expect(/<resume [^>]*>/);
  peer.send("<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
  await bind(peer);
  peer.send(ENABLED);
  await answerDisco(peer);
}

export const chat = (body: string, attributes = ''): string =>
  `<message from='peer@localhost/x' type='chat' ${attributes}><body>${body}</body></message>`;

/** The top-level elements that a client writes once it is logged in. */
const ELEMENT = /<(presence|iq|message|r|a)\b[^>]*?(?:\/>|>[\s\S]*?<\/\1>)/;

/** Answers each element of the client as told, and acknowledges what it sent, until the connection ends. */
export async function serve(peer: Peer, answer: (element: string) => string | undefined, handled = 1): Promise<void> {
  let h = handled;
  for (;;) {
    const bytes = (await peer.expect(ELEMENT, 60_000).catch(() => undefined))?.toString();
    if (bytes === undefined) return; // The client has closed the connection.
    const element = ELEMENT.exec(bytes)?.[0] ?? '';
    if (/^<(presence|iq|message)/.test(element)) h += 1;
    const reply = element.startsWith('<r')
      ? `<a xmlns='urn:xmpp:sm:3' h='${h}'/>`
      : (answer(element) ?? autoAnswer(element));
    if (reply) peer.send(reply);
  }
}

/** What every server and room answers: pings and questions about features. */
function autoAnswer(element: string): string {
  if (!element.startsWith('<iq')) return '';
  return result(element, '');
}

/** A value of an attribute of the element itself. */
export const attributeOf = (element: string, name: string): string =>
  new RegExp(`^<[^>]*\\s${name}="([^"]*)"`).exec(element)?.[1] ?? '';

/** The result of an iq, from whom it was sent to. */
export const result = (iq: string, child: string): string =>
  `<iq type='result' id='${attributeOf(iq, 'id')}' from='${attributeOf(iq, 'to') || 'localhost'}'>${child}</iq>`;

/** The error that answers a stanza. */
export function refusal(stanza: string, condition: string, type = 'auth'): string {
  const name = /^<(\w+)/.exec(stanza)?.[1] ?? '';
  const error = `<error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
  return `<${name} type='error' id='${attributeOf(stanza, 'id')}' from='${attributeOf(stanza, 'to')}'>${error}</${name}>`;
}

/** The presence by which a room lets us in. */
export const admitted = (presence: string): string =>
  `<presence from='${attributeOf(presence, 'to')}'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/><status code='110'/></x></presence>`;

/** Whether a presence asks a room to let us in. */
export const isJoin = (element: string): boolean =>
  element.startsWith('<presence') && element.includes('http://jabber.org/protocol/muc');

async function iqId(peer: Peer, namespace: string): Promise<string> {
  const iq = (await peer.expect(new RegExp(`<iq (?:(?!<iq ).)*${namespace}.*?</iq>`))).toString();
  return /id="([^"]*)"/.exec(iq)?.[1] ?? '';
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (xml: string): string => Buffer.from(/>([^<]*)</.exec(xml)?.[1] ?? '', 'base64').toString();
