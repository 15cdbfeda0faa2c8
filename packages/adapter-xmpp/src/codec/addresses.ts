import { type AddressScheme, percentEncode, Rejected } from '@magpie/contract';
import { escapeLocal, formatJid, type Jid, jidProblem, splitJid } from './jid.ts';
import { isSafeText } from './stanza/xml-text.ts';

const toSegments = ({ local, domain, resource }: Jid): string[] =>
  resource === undefined ? [local, domain] : [local, domain, resource];

const toJid = ([local = '', domain = '', resource]: readonly string[]): Jid =>
  resource === undefined ? { local, domain } : { local, domain, resource };

const lower = (text: string): string =>
  text.replace(/\{[^}]*\}|[^{]+|\{/g, (part) => (part.startsWith('{') ? part : part.toLowerCase()));

/** What servers leave out of local parts and domains (RFC 3454, B.1). */
const LEFT_OUT = /\p{Default_Ignorable_Code_Point}/gu;

/** Local part or domain as servers compare it: case, width and invisible characters make no difference (RFC 7622, RFC 6122). */
const prepared = (text: string): string => text.replace(LEFT_OUT, '').normalize('NFKC').toLowerCase();

/** Local part and domain in lower case, as servers compare them; names of captures are left alone. */
const lowered = ([local = '', domain = '', ...resource]: string[]): string[] => [
  lower(local),
  lower(domain),
  ...resource,
];

function jidScheme(scheme: string, check: (segments: readonly string[]) => string | undefined): AddressScheme {
  const split = (words: Readonly<Record<string, string>>): string[] => toSegments(splitJid(words[scheme] ?? ''));
  const format = (segments: readonly string[]): string => formatJid(toJid(segments));
  return {
    scheme,
    words: [scheme],
    split,
    splitPattern: (words) => lowered(split(words)),
    join: (segments) => ({ [scheme]: format(segments) }),
    parse: (value) => {
      const segments = toSegments(splitJid(value));
      const problem = check(segments);
      if (problem !== undefined) throw new Rejected(`"${value}" is not a ${scheme}: ${problem}`);
      return segments;
    },
    format,
    wildcard: () => undefined,
    encode: (value) => escapeLocal(value.toWellFormed()),
    comparable: ([local = '', domain = '', ...resource]) => [
      prepared(local),
      prepared(domain).replace(/\.$/, ''),
      ...resource,
    ],
    check,
  };
}

/** A client, user or service: `jid:user@example.org`, `jid:user@example.org/phone`, `jid:example.org`. Segments local, domain, resource. */
export const jidAddresses = jidScheme('jid', (segments) => {
  if (segments.length < 2 || segments.length > 3)
    return `${segments.length} segments, expected local part, domain and an optional resource`;
  return jidProblem(toJid(segments));
});

/** A multi-user chat room (XEP-0045): `room:ops@conference.example.org`. Segments local, domain. */
export const roomAddresses = jidScheme('room', (segments) => {
  if (segments.length !== 2) return 'a nick or resource after "/": a room is written room@service';
  return segments[0] === '' ? 'a room without a name before "@"' : jidProblem(toJid(segments));
});

/**
 * One of a component's own addresses, as a device that people have in their lists: `contact:pump-7`. One segment, any text;
 * its JID is that, escaped (XEP-0106) and in lower case, at the domain of the component.
 */
export const contactAddresses: AddressScheme = {
  scheme: 'contact',
  words: ['contact'],
  split: ({ contact = '' }) => [contact],
  splitPattern: ({ contact = '' }) => [contact],
  join: ([contact = '']) => ({ contact }),
  parse: (value) => {
    const problem = contactProblem(value);
    if (problem !== undefined) throw new Rejected(`"${value}" is not a contact: ${problem}`);
    return [value];
  },
  format: ([contact = '']) => contact,
  wildcard: () => undefined,
  encode: (value) => value.toWellFormed(),
  comparable: (segments) => segments.map(prepared),
  check: ([contact = '', ...more]) =>
    more.length > 0 ? `${more.length + 1} segments, expected one` : contactProblem(contact),
};

const contactProblem = (name: string): string | undefined =>
  name === '' ? 'no name' : jidProblem({ local: escapeLocal(name), domain: 'd' });

const COMMAND = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/**
 * A command at a contact (XEP-0050), which a client shows with a form: `command:set-level/pump-7`. Segments the contact and the
 * command.
 */
export const commandAddresses: AddressScheme = {
  scheme: 'command',
  words: ['command', 'contact'],
  split: ({ contact = '', command = '' }) => [contact, command],
  splitPattern: ({ contact = '', command = '' }) => [contact, command],
  join: ([contact = '', command = '']) => ({ contact, command }),
  parse: (value) => {
    const slash = value.indexOf('/');
    const segments = [value.slice(slash + 1), value.slice(0, Math.max(0, slash))];
    const problem = commandProblem(segments);
    if (problem !== undefined) throw new Rejected(`"${value}" is not a command: ${problem}`);
    return segments;
  },
  format: ([contact = '', command = '']) => `${command}/${contact}`,
  wildcard: () => undefined,
  encode: (value) => value.toWellFormed(),
  comparable: ([contact = '', ...command]) => [prepared(contact), ...command],
  check: commandProblem,
};

function commandProblem([contact = '', command = '', ...more]: readonly string[]): string | undefined {
  if (more.length > 0) return `${more.length + 2} segments, expected a contact and a command`;
  if (!COMMAND.test(command))
    return `"${command}" as the name of a command: expected letters, digits, ".", "_", ":" and "-", beginning with a letter or digit`;
  return contactProblem(contact);
}

/** Longest name of a node, bytes. */
const NODE_BYTES = 1023;

/**
 * A node of a publish-subscribe service (XEP-0060): `node:pubsub.example.org/plant/alarms`. Segments the service, a bare JID, and the
 * name of the node, which is any text.
 */
export const nodeAddresses: AddressScheme = {
  scheme: 'node',
  words: ['node', 'service'],
  split: ({ node = '', service = '' }) => [service, node],
  splitPattern: ({ node = '', service = '' }) => [lower(service), node],
  join: ([service = '', node = '']) => ({ node, service }),
  parse: (value) => {
    const slash = value.indexOf('/');
    const segments = [value.slice(0, Math.max(0, slash)), value.slice(slash + 1)];
    const problem = nodeProblem(segments);
    if (problem !== undefined) throw new Rejected(`"${value}" is not a node: ${problem}`);
    return segments;
  },
  format: ([service = '', node = '']) => `${service}/${node}`,
  wildcard: () => undefined,
  encode: (value) => percentEncode(value.toWellFormed(), '/'),
  comparable: ([service = '', ...node]) => [prepared(service).replace(/\.$/, ''), ...node],
  check: nodeProblem,
};

function nodeProblem([service = '', node = '', ...more]: readonly string[]): string | undefined {
  if (more.length > 0) return `${more.length + 2} segments, expected a service and a node`;
  const jid = splitJid(service);
  if (jid.resource !== undefined) return `a resource after "/" in the service "${service}"`;
  const problem = jidProblem(jid);
  if (problem !== undefined) return problem;
  if (node === '') return 'no node';
  if (!isSafeText(node)) return 'a character in the node that XML cannot carry';
  const bytes = Buffer.byteLength(node);
  return bytes > NODE_BYTES ? `a node of ${bytes} bytes, more than ${NODE_BYTES}` : undefined;
}

/** The address of a node. @param service bare JID in lower case. */
export const nodeAddress = (service: string, node: string): { scheme: string; segments: string[] } => ({
  scheme: nodeAddresses.scheme,
  segments: [service, node],
});

/** The address of a command at a contact. */
export const commandAddress = (contact: string, command: string): { scheme: string; segments: string[] } => ({
  scheme: commandAddresses.scheme,
  segments: [contact, command],
});

/** The address of a contact by its name. */
export const contactAddress = (name: string): { scheme: string; segments: string[] } => ({
  scheme: contactAddresses.scheme,
  segments: [name],
});

/** The address of an event from or to this bare JID. */
export const addressOf = (scheme: 'room' | 'jid', jid: string): { scheme: string; segments: string[] } => ({
  scheme,
  segments: toSegments(splitJid(jid)),
});
