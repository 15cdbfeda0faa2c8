import { tlsSchema } from '@magpie/adapter-kit';
import { BODY_LIMITS, durationSchema, secretSchema, sizeSchema } from '@magpie/contract';
import { z } from 'zod';
import { topicAddress, wrongFilter } from './codec/address.ts';

/** Room in a packet for topic, headers and properties besides the body. */
export const PACKET_OVERHEAD = 128 * 1024;
const MAX_PACKET_BYTES = BODY_LIMITS.max + PACKET_OVERHEAD;

/** The largest body that fits a packet of the configured size, in bytes. */
export const maxBodyBytes = (maxPacketBytes: number): number => maxPacketBytes - PACKET_OVERHEAD;

const url = z
  .string()
  .superRefine((text, context) => {
    const problem = wrongUrl(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .describe('URL of the broker: mqtt://host:1883, or mqtts://host:8883 for TLS.');

function wrongUrl(text: string): string | undefined {
  const parsed = URL.parse(text);
  if (!parsed || !['mqtt:', 'mqtts:'].includes(parsed.protocol) || parsed.hostname === '') {
    return 'expected a URL such as "mqtt://127.0.0.1:1883" or "mqtts://broker.example.org"';
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return 'expected a URL without a login: put the login into the keys username and password';
  }
  const extra = parsed.pathname.length > 1 || parsed.search !== '' || parsed.hash !== '';
  return extra ? 'expected a URL with only a host and a port' : undefined;
}

const qos = z.union([z.literal(0), z.literal(1), z.literal(2)]);

const topicName = z
  .string()
  .superRefine((topic, context) => {
    const problem = topicAddress.check(topic.split('/'));
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .describe('A topic without wildcards.');

const will = z
  .strictObject({
    topic: topicName,
    payload: z.unknown().optional().describe('Body as a JSON value.'),
    text: z.string().optional().describe('Body as text.'),
    base64: z.base64().optional().describe('Body as base64.'),
    qos: qos.default(1).describe('Quality of service of the will.'),
    retain: z.boolean().default(false).describe('Whether the broker keeps the will as the topic’s last value.'),
  })
  .refine(({ payload, text, base64 }) => [payload, text, base64].filter((form) => form !== undefined).length <= 1, {
    error: 'expected at most one of payload, text and base64',
  });

const session = z.strictObject({
  expiry: durationSchema()
    .prefault('7d')
    .describe(
      'How long the broker keeps our subscriptions and unacknowledged messages while the link is down. "0s": not at all.',
    ),
});

const keepalive = durationSchema()
  .refine((ms) => ms >= 1000 && ms <= 65_535_000, { error: 'expected between 1s and 65535s' })
  .prefault('30s')
  .describe('Silence after which a ping is sent; twice this time without a byte from the broker ends the link.');

/** Keys of a connection of type `mqtt`. */
export const connectionSchema = z
  .strictObject({
    url,
    version: z
      .union([z.literal(5), z.literal(3), z.literal('3.1.1')])
      .transform((version) => (version === 5 ? (5 as const) : (3 as const)))
      .prefault(5)
      .describe('Protocol version: 5, or 3 (also written "3.1.1"). Version 3 carries no headers, ids or expiry.'),
    username: z.string().min(1).max(65_535).optional().describe('Login name at the broker.'),
    password: secretSchema().optional().describe('Password at the broker.'),
    clientId: z
      .string()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Client id, unique at the broker. Default: magpie-<gateway id>-<connection name>.'),
    keepalive,
    connectTimeout: durationSchema()
      .refine((ms) => ms > 0 && ms <= 30_000, { error: 'expected more than 0 and at most 30s' })
      .prefault('10s')
      .describe('Longest time for one attempt to connect.'),
    tls: tlsSchema({}).optional().describe('TLS of an mqtts:// URL.'),
    will: will.optional().describe('Last will: the broker publishes it when the link ends without a DISCONNECT.'),
    session: session.prefault({}).describe('The session the broker keeps between links.'),
    receiveMaximum: z
      .int()
      .min(1)
      .max(65_535)
      .default(1000)
      .describe(
        'Maximum number of received messages not yet acknowledged (MQTT 5); beyond it, QoS 0 messages are dropped.',
      ),
    maxInflight: z
      .int()
      .min(1)
      .max(65_535)
      .default(500)
      .describe('Maximum number of sent messages not yet acknowledged by the broker.'),
    confirmTimeout: durationSchema()
      .refine((ms) => ms >= 1000 && ms <= 3_600_000, { error: 'expected between 1s and 1h' })
      .prefault('60s')
      .describe(
        'Longest wait for the broker’s acknowledgement of a message; then the link is closed and the message sent again.',
      ),
    maxPacketBytes: sizeSchema()
      .refine((bytes) => bytes >= 2 * PACKET_OVERHEAD && bytes <= MAX_PACKET_BYTES, {
        error: `expected between 256KiB and ${MAX_PACKET_BYTES / 1024}KiB`,
      })
      .prefault('2MiB')
      .describe('Largest packet in either direction; a body may be 128 KiB smaller.'),
    dedupe: z
      .strictObject({
        userProperty: z.string().min(1).max(1024).describe('User property with a unique id of the message (MQTT 5).'),
      })
      .optional()
      .describe('Where senders put a unique id of a message, so that repeats are dropped.'),
  })
  .superRefine(({ url: address, tls: files, version, username, password, dedupe }, context) => {
    const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (files !== undefined && !address.startsWith('mqtts:'))
      issue('tls', 'expected a URL that starts with mqtts://, because tls is set');
    if (version === 3 && dedupe) issue('dedupe', 'dedupe needs version 5: MQTT 3.1.1 has no user properties');
    if (version === 3 && password && username === undefined) {
      issue('password', 'a password needs a username with MQTT 3.1.1 [MQTT-3.1.2-22]');
    }
  });

/** A parsed connection. Durations in ms, sizes in bytes. */
export type MqttConnection = z.output<typeof connectionSchema>;

/** Keys of a route's `from`. */
export const sourceSchema = z.strictObject({
  topic: z
    .string()
    .superRefine((filter, context) => {
      const problem = wrongFilter(filter);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .describe('Topic filter; + and {name} match one level, # and {name*} all following levels.'),
  qos: qos
    .default(1)
    .describe('Quality of service. 2 is subscribed as 1: at least once, and the log drops no repeats.'),
  noLocal: z
    .boolean()
    .default(false)
    .describe(
      'Do not receive messages that this connection publishes (MQTT 5); must be set in every route with the same filter.',
    ),
});
/** A parsed `from`. */
export type MqttSource = z.output<typeof sourceSchema>;

/** Keys of a target. */
export const targetSchema = z.strictObject({
  topic: z.string().min(1).describe('Topic to publish to.'),
  qos: qos.default(1).describe('Quality of service; 0 is sent without confirmation.'),
  retain: z
    .boolean()
    .optional()
    .describe('Whether the broker keeps it as the topic’s last value. Default: as received.'),
});
/** A parsed target. */
export type MqttTarget = z.output<typeof targetSchema>;

/** The protocol facts of a received message. */
export const originSchema = z.strictObject({
  topic: z.string().describe('Topic as received.'),
  qos: z.int().min(0).max(2).describe('Quality of service it arrived with.'),
  retain: z.boolean().describe('Retain flag as received.'),
  replay: z.boolean().describe('Sent from the broker’s store on subscribing, not published now.'),
  dup: z.boolean().describe('The broker says it may have sent this before.'),
  packetId: z.int().optional().describe('Packet id, for QoS 1 and 2.'),
  version: z.int().describe('Protocol version, 5 or 3.'),
  utf8: z.boolean().optional().describe('The sender says that the body is UTF-8 text (payload format indicator).'),
});
