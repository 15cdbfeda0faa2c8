import { tlsSchema } from '@magpie/adapter-kit';
import { durationSchema, secretSchema, sizeSchema } from '@magpie/contract';
import { z } from 'zod';
import { roomAddresses } from './codec/addresses.ts';
import { jidProblem, normalJid, splitJid } from './codec/jid.ts';

const problemOf = (text: string, problem: string | undefined): string => `"${text}" has ${problem}`;

const bareJidSchema = (what: string): z.ZodType<string, string> =>
  z.string().transform((text, context) => {
    const jid = splitJid(text);
    const problem = jid.local === '' || jid.resource !== undefined ? 'not the form user@domain' : jidProblem(jid);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `${what}: ${problemOf(text, problem)}` });
    return normalJid(text);
  });

const roomJidSchema = z.string().transform((text, context) => {
  const problem = roomAddresses.check(roomAddresses.split({ room: text }));
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problemOf(text, problem) });
  return normalJid(text);
});

const resourcePart = z.string().refine((text) => jidProblem({ local: '', domain: 'd', resource: text }) === undefined, {
  error: 'expected 1 to 1023 bytes without control characters',
});

const roomSchema = z.strictObject({
  room: roomJidSchema.describe('Address of the room, such as ops@conference.example.org.'),
  nick: resourcePart.optional().describe('Our name in the room; default the nick of the connection.'),
  password: secretSchema().optional().describe('Password of the room, if it has one.'),
});

/** Keys of a connection of type `xmpp`. */
export const connectionSchema = z.strictObject({
  jid: bareJidSchema('jid').describe('Account to log in with, such as bridge@example.org.'),
  password: secretSchema().describe('Password of the account.'),
  url: z
    .string()
    .refine((text) => URL.canParse(text) && /^xmpps?:$/.test(new URL(text).protocol) && new URL(text).hostname !== '', {
      error: 'expected xmpp://host:port (STARTTLS) or xmpps://host:port (direct TLS)',
    })
    .optional()
    .describe('Server to connect to; default by the SRV records of the domain.'),
  tls: tlsSchema({
    required: z
      .boolean()
      .default(true)
      .describe('Whether to refuse a server without TLS. With false everything but the password may go in clear.'),
  })
    .prefault({})
    .describe('TLS, direct or by STARTTLS.'),
  resource: resourcePart
    .optional()
    .describe('Resource to bind; default the gateway id and a random suffix per process.'),
  nick: resourcePart.optional().describe('Nick in rooms that set none; default the gateway id.'),
  priority: z
    .number()
    .int()
    .min(0)
    .max(127)
    .default(1)
    .describe(
      'Priority of our presence. The client with the highest one gets the one-to-one messages of the account; others get copies.',
    ),
  rooms: z
    .array(roomSchema)
    .default([])
    .describe('Rooms to join, with nick and password. Rooms named in routes are joined as well.'),
  ping: durationSchema().prefault('60s').describe('How often membership of each room is verified (XEP-0410).'),
  timeout: durationSchema().prefault('20s').describe('How long the server may take to confirm a message or to answer.'),
  receiveWindow: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(250)
    .describe(
      'Received messages on their way into the log at a time. Reading stops at eight times as many, or at 16 MiB.',
    ),
  maxStanzaBytes: sizeSchema()
    .prefault('256KiB')
    .describe(
      'Largest stanza to send, markup and escaping included, as the server permits. Received ones may be four times as large.',
    ),
  maxDepth: z
    .number()
    .int()
    .min(8)
    .max(1_000)
    .default(64)
    .describe('Deepest nesting of elements in a received stanza.'),
});

/** A parsed connection. Durations in ms, sizes in bytes, JIDs normalized. */
export type XmppConfig = z.output<typeof connectionSchema>;

/** Keys of a route's `from`. Exactly one of `room` and `jid`. */
export const sourceSchema = z
  .strictObject({
    room: z.string().optional().describe('Room to receive from, such as ops@conference.example.org.'),
    jid: z.string().optional().describe('Sender of one-to-one messages, such as {user}@example.org.'),
  })
  .refine(({ room, jid }) => (room === undefined) !== (jid === undefined), { error: 'expected either room or jid' });

/** Keys of a target. Exactly one of `room` and `jid`. */
export const targetSchema = z
  .strictObject({
    room: z.string().optional().describe('Room to send to.'),
    jid: z.string().optional().describe('User, client or service to send to.'),
  })
  .refine(({ room, jid }) => (room === undefined) !== (jid === undefined), { error: 'expected either room or jid' });

/** A parsed `from`: a room or a JID. */
export type XmppSource = z.output<typeof sourceSchema>;
/** A parsed target: a room or a JID. */
export type XmppTarget = z.output<typeof targetSchema>;
