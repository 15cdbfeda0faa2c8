import { tlsSchema } from '@magpie/adapter-kit';
import { durationSchema, isLoopback, parseDuration, secretSchema, sizeSchema } from '@magpie/contract';
import { z } from 'zod';
import { access } from './access.ts';
import { splitJid } from './codec/jid.ts';
import { bareJidSchema, domainSchema, resourcePart, roomJidSchema } from './config-values.ts';
import { contactsSchema } from './contacts/contacts-schema.ts';

const within = (least: string, most: string): z.ZodType<number, string> =>
  durationSchema().refine((ms) => ms >= parseDuration(least)! && ms <= parseDuration(most)!, {
    error: `expected a duration from ${least} to ${most}`,
  });

/** RFC 6120 §13.12: no server takes less. */
const LEAST_STANZA = 10_000;
/** The largest body, escaped many times over. */
const LARGEST_STANZA = 64 * 1024 * 1024;
/** What is sent at most to a server that does not say what it takes, bytes. */
export const DEFAULT_STANZA = 256 * 1024;

const checkSender = (entry: string, context: z.RefinementCtx): void => {
  const message = access.validate(entry);
  if (message !== undefined) context.addIssue({ code: 'custom', message, input: entry });
};

const roomSchema = z.strictObject({
  room: roomJidSchema.describe('Address of the room, such as ops@conference.example.org.'),
  nick: resourcePart.optional().describe('Our nick in the room; default: the nick of the connection.'),
  password: secretSchema().optional().describe('Password of the room, if it has one.'),
  create: z.boolean().optional().describe('Whether the room is made if there is none; default: `createRooms`.'),
});

const keysSchema = z.strictObject({
  mode: z
    .enum(['client', 'component'])
    .default('client')
    .describe(
      'Whether to log in as an account, or as a component of the server (XEP-0114) that has a domain of its own with any number of addresses.',
    ),
  jid: bareJidSchema('jid')
    .optional()
    .describe(
      'Account to log in with, such as bridge@example.org. Of a component: the address it speaks as where a target names none; default the gateway id at its domain.',
    ),
  password: secretSchema().optional().describe('Password of the account. Clients only.'),
  domain: domainSchema.optional().describe('Domain of the component, such as devices.example.org. Components only.'),
  secret: secretSchema().optional().describe('Secret that the server shares with the component. Components only.'),
  url: z
    .string()
    .refine((text) => URL.canParse(text) && /^xmpps?:$/.test(new URL(text).protocol) && new URL(text).hostname !== '', {
      error: 'expected xmpp://host:port (STARTTLS) or xmpps://host:port (direct TLS)',
    })
    .optional()
    .describe(
      'Server to connect to; default by the SRV records of the domain. A component needs it: the port for components, xmpps:// with TLS from the first byte or xmpp:// without any.',
    ),
  tls: tlsSchema({
    required: z
      .boolean()
      .default(true)
      .describe(
        'Whether to refuse a server without TLS. With false, everything except the password may be sent unencrypted.',
      ),
  })
    .prefault({})
    .describe('TLS, direct or by STARTTLS.'),
  resource: resourcePart
    .optional()
    .describe('Resource to bind; default: the gateway id and a random suffix per process.'),
  nick: resourcePart.optional().describe('Nick in rooms without their own; default: the gateway id.'),
  priority: z
    .number()
    .int()
    .min(0)
    .max(127)
    .default(1)
    .describe(
      'Priority of our presence. The client with the highest priority gets the one-to-one messages of the account; others get copies.',
    ),
  contacts: contactsSchema
    .prefault({})
    .describe('The addresses of a component as contacts of people; of an account the account itself.'),
  rooms: z
    .array(roomSchema)
    .default([])
    .describe('Rooms to join, with nick and password. Rooms named in routes are joined as well.'),
  catchUp: z
    .strictObject({
      account: z
        .boolean()
        .optional()
        .describe('Whether to read what was written to our account; default true. A component has no such archive.'),
      rooms: z.boolean().default(true).describe('Whether to read what was said in rooms that routes receive from.'),
      maxAge: within('1m', '365d').prefault('7d').describe('Age of the oldest messages to read.'),
    })
    .optional()
    .describe(
      "What to read in the server's archives (XEP-0313) after a new login: messages said while the gateway was away. Default all.",
    ),
  createRooms: z
    .boolean()
    .default(false)
    .describe(
      'Whether a room is made by joining it when there is none. Without, a mistyped room shows as one that does not exist.',
    ),
  createNodes: z
    .boolean()
    .default(false)
    .describe(
      'Whether a node is made where there is none, as the defaults of its service say. Without, nothing is published to a mistyped one.',
    ),
  followMoved: z
    .boolean()
    .default(false)
    .describe(
      'Whether a room that its owner has closed is followed to the one named instead (XEP-0045). Routes go on to call it by its old address.',
    ),
  receipts: z
    .enum(['delivered', 'stored'])
    .default('delivered')
    .describe(
      'When who asks for a receipt (XEP-0184) of a one-to-one message gets it: once all targets of its routes have confirmed it, or once it is on disk.',
    ),
  acceptReplyTo: z
    .array(z.string().superRefine(checkSender))
    .default([])
    .describe(
      'Whose messages may name another reply address than their own, such as other gateways: JID patterns and affiliations, as in `allow`. Of all others the reply address is the sender.',
    ),
  ping: within('1ms', '1h').prefault('60s').describe('How often membership of each room is verified (XEP-0410).'),
  timeout: within('100ms', '1h')
    .prefault('20s')
    .describe('Longest time for the server to confirm a message or to answer.'),
  receiveWindow: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(250)
    .describe(
      'Maximum number of received messages on their way into the log. Reading stops at eight times this number, or at 16 MiB.',
    ),
  maxStanzaBytes: sizeSchema()
    .refine((bytes) => bytes >= LEAST_STANZA && bytes <= LARGEST_STANZA, {
      error: 'expected a size from 10kB to 64MiB',
    })
    .optional()
    .describe(
      'Largest stanza to send, including markup and escaping. Default: what the server announces (XEP-0478), which is a limit in any case, else 256 KiB. Received ones may be four times as large, and always 1 MiB.',
    ),
  uploadService: domainSchema
    .optional()
    .describe(
      'Address of the service that takes files (XEP-0363), such as upload.example.org. Default: the one that the server names; a component has none unless it is written here.',
    ),
  maxDepth: z
    .number()
    .int()
    .min(8)
    .max(1_000)
    .default(64)
    .describe('Deepest nesting of elements in a received stanza; what is deeper is left out.'),
});

type Keys = z.output<typeof keysSchema>;

/** What each mode needs, and what has no meaning in it. */
const MODES: Readonly<
  Record<Keys['mode'], { readonly needs: readonly (keyof Keys)[]; readonly not: readonly (keyof Keys)[] }>
> = {
  client: { needs: ['jid', 'password'], not: ['domain', 'secret'] },
  component: { needs: ['domain', 'secret', 'url'], not: ['password'] },
};

/** Keys of a connection of type `xmpp`. */
export const connectionSchema = keysSchema.superRefine((keys, context) => {
  const { mode, jid, domain, url, tls } = keys;
  const problem = (key: keyof Keys, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message, input: keys[key] });
  for (const key of MODES[mode].needs)
    if (keys[key] === undefined) problem(key, `expected the key "${key}" (mode: ${mode})`);
  for (const key of MODES[mode].not)
    if (keys[key] !== undefined) problem(key, `"${key}" has no meaning with mode: ${mode}`);
  if (mode === 'client' && keys.contacts.cards.length > 0)
    problem('contacts', '"cards" has no meaning with mode: client: the card of an account is at its server');
  if (mode === 'client') return;
  if (keys.catchUp?.account === true)
    problem('catchUp', '"account" has no meaning with mode: component: a server keeps no archive for it, but rooms do');
  if (jid !== undefined && domain !== undefined && splitJid(jid).domain !== domain)
    problem('jid', `expected an address of the domain ${domain}`);
  if (url !== undefined && isClear(url) && tls.required && !isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, '')))
    problem(
      'url',
      'expected xmpps:// or a server on this machine: on xmpp:// a component has no TLS. Across a network of your own, allow it by tls: { required: false }',
    );
});

const isClear = (url: string): boolean => URL.canParse(url) && new URL(url).protocol === 'xmpp:';

/** A parsed connection. Durations in ms, sizes in bytes, JIDs normalized. */
export type XmppConfig = Keys;

/** Which archives a connection reads. */
export interface Archives {
  readonly account: boolean;
  readonly rooms: boolean;
  /** Age of the oldest messages to read, ms. */
  readonly maxAge: number;
}

/** The archives that a connection reads: a component has none of its own. */
export const catchUpOf = ({ mode, catchUp }: XmppConfig): Archives => ({
  account: mode === 'client' && (catchUp?.account ?? true),
  rooms: catchUp?.rooms ?? true,
  maxAge: catchUp?.maxAge ?? 7 * 24 * 60 * 60 * 1000,
});
