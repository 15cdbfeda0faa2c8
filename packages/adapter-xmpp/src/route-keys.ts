import { z } from 'zod';
import { SHOWS } from './codec/stanza/presence.ts';
import { fetchSchema } from './files/fetch-schema.ts';

interface Places {
  readonly room?: string | undefined;
  readonly jid?: string | undefined;
  readonly contact?: string | undefined;
  readonly node?: string | undefined;
  readonly service?: string | undefined;
}

const hasOnePlace = ({ room, jid, contact, node }: Places): boolean =>
  [room, jid, contact, node].filter((place) => place !== undefined).length === 1;
const ONE_PLACE = { error: 'expected one of room, jid, contact and node' };

const hasService = ({ node, service }: Places): boolean => (node === undefined) === (service === undefined);
const SERVICE = {
  path: ['service'],
  error: 'expected "node" and "service" together: a node has its name at a service only',
};
const service = z
  .string()
  .optional()
  .describe('Service of the node, such as pubsub.example.org, or the account of a person.');

/** Keys of a route's `from`. Exactly one of `room`, `jid`, `contact` and `node`. */
export const sourceSchema = z
  .strictObject({
    room: z.string().optional().describe('Room to receive from, such as ops@conference.example.org.'),
    jid: z
      .string()
      .optional()
      .describe('Sender of one-to-one messages to our account, or of presence, such as {user}@example.org.'),
    contact: z
      .string()
      .optional()
      .describe(
        'Address of the component that people write to, such as {device}: all of its domain. With `command` also the name of the account itself.',
      ),
    node: z
      .string()
      .optional()
      .describe('Node of a publish-subscribe service (XEP-0060) to subscribe to, such as plant/alarms.'),
    service,
    command: z
      .string()
      .optional()
      .describe(
        'Name of a command (XEP-0050) that clients show at the contact, such as set-level. Its form is made from the `payloadSchema` of the route; who finds it, `allow` says. With `contact` only.',
      ),
    title: z
      .string()
      .min(1)
      .optional()
      .describe('What people read for the command; default the title of its schema, or its name.'),
    fetch: fetchSchema
      .optional()
      .describe(
        'Fetches the file that a message links to, which then is the body. All routes from the same place get it. Without the key the link is the text, and `origin.file` says what it leads to.',
      ),
  })
  .refine(hasOnePlace, ONE_PLACE)
  .refine(hasService, SERVICE)
  .refine(({ contact, command }) => command === undefined || contact !== undefined, {
    path: ['command'],
    error: '"command" goes with "contact" only: it is shown at a contact',
  })
  .refine(({ command, title }) => command !== undefined || title === undefined, {
    path: ['title'],
    error: '"title" goes with "command" only',
  });

const presenceSchema = z.strictObject({
  available: z.boolean().default(true).describe('Whether the contact is there.'),
  show: z
    .union([z.enum(SHOWS), z.literal(''), z.null()])
    .transform((show) => show || undefined)
    .optional()
    .describe('How available it is: chat, away, xa (long away) or dnd (do not disturb); empty: plainly there.'),
  status: z
    .string()
    .nullish()
    .transform((text) => text ?? undefined)
    .describe('Text for people.'),
});

const messageId = z.string().min(1).optional();

const refersSchema = z
  .strictObject({
    reply: messageId.describe('Id of the message that this one answers (XEP-0461).'),
    replaces: messageId.describe('Id of an earlier message of ours that this one corrects (XEP-0308).'),
    retracts: messageId.describe('Id of an earlier message of ours that is taken back (XEP-0424).'),
    reaction: messageId.describe(
      'Id of the message that the text, emojis with blanks between them, reacts to (XEP-0444).',
    ),
  })
  .refine((refers) => Object.values(refers).filter((id) => id !== undefined).length === 1, {
    error: 'expected one of reply, replaces, retracts and reaction',
  });

/** Keys of a target. Exactly one of `room`, `jid`, `contact` and `node`. */
export const targetSchema = z
  .strictObject({
    room: z.string().optional().describe('Room to send to.'),
    jid: z.string().optional().describe('User, client or service to send to.'),
    node: z
      .string()
      .optional()
      .describe('Node of a publish-subscribe service (XEP-0060) to publish to, such as plant/alarms.'),
    service,
    item: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Id of the item, such as current: an item takes the place of one with the same id. Default one of its own for each. With `node` only.',
      ),
    from: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Which address of the component it comes from: a local part such as pump-7, or a whole address of its domain. With `jid` only; default the `jid` of the connection.',
      ),
    session: z
      .string()
      .optional()
      .describe(
        'The running command that the message ends, as `origin.session` of its event says. When nobody waits for that any more it is an ordinary message. With `jid` only.',
      ),
    upload: z
      .enum(['auto', 'always', 'never'])
      .optional()
      .describe(
        'When a body goes as a file, with a link to it in the message: "auto" (the default) for pictures, sound and video, for other bytes above 8 KiB, and for whatever is too large for a stanza.',
      ),
    jsonContainer: z
      .boolean()
      .optional()
      .describe(
        'Whether a JSON body goes in a JSON container (XEP-0335), for programs: people see nothing of it. Other bodies go as usual. With `room` or `jid`.',
      ),
    refers: refersSchema
      .optional()
      .describe(
        'Which message this one is about. With `room` the id that the room gave it (`origin.stanzaId`, XEP-0359), with `jid` the id of its sender.',
      ),
    contact: z
      .string()
      .optional()
      .describe('Whose presence is set: an address of the component, such as pump-7, or the account itself.'),
    presence: presenceSchema
      .optional()
      .describe('How the contact is from now on, for everybody who has it in a list. With `contact` only.'),
  })
  .refine(hasOnePlace, ONE_PLACE)
  .refine(hasService, SERVICE)
  .refine(({ node, item }) => node !== undefined || item === undefined, {
    path: ['item'],
    error: '"item" goes with "node" only',
  })
  .refine(({ jid, from }) => jid !== undefined || from === undefined, {
    path: ['from'],
    error: '"from" goes with "jid" only: a room knows the gateway by one address',
  })
  .refine(({ jid, session }) => jid !== undefined || session === undefined, {
    path: ['session'],
    error: '"session" goes with "jid" only: a command is ended for whom it was begun',
  })
  .refine(({ contact, node, refers }) => (contact === undefined && node === undefined) || refers === undefined, {
    path: ['refers'],
    error: '"refers" goes with a message to "room" or "jid"',
  })
  .refine(({ node, upload }) => node === undefined || upload === undefined, {
    path: ['upload'],
    error: '"upload" goes with a message: an item carries its content itself',
  })
  .refine(({ contact, presence }) => (contact === undefined) === (presence === undefined), {
    path: ['presence'],
    error:
      'expected "contact" and "presence" together: a presence is set for a contact, and a contact is sent nothing else',
  });

/** A parsed `from`: a room, a JID, a contact or a node. */
export type XmppSource = z.output<typeof sourceSchema>;
/** A parsed target: a room, a JID, a contact or a node. */
export type XmppTarget = z.output<typeof targetSchema>;
