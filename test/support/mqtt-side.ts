import mqtt, { type IClientPublishOptions, type IPublishPacket } from 'mqtt';
import { createMailbox } from './mailbox.ts';
import { type Message, message, parsePlace, placeText, type Source, slug, type Target } from './message.ts';

type Properties = NonNullable<IClientPublishOptions['properties']>;

/** An MQTT 5 client beside the gateway. */
export interface MqttSide extends Source, Target {
  /** The packet that brought the message with this id. */
  packet(id: string): Promise<IPublishPacket>;
  close(): Promise<void>;
}

/** Connects; it publishes to `<prefix>/to/…` and reads `<prefix>/from/…`. */
export async function mqttSide(url: string, prefix: string): Promise<MqttSide> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, clientId: `${prefix}-device` });
  const mailbox = createMailbox<{ read: Message; packet: IPublishPacket }>();
  client.on('message', (_topic, _payload, packet) => {
    const read = decode(packet);
    mailbox.put(read.id, { read, packet });
  });
  // `rap` shows the RETAIN flag as the gateway set it.
  await client.subscribeAsync(`${prefix}/from/#`, { qos: 1, rap: true });
  return {
    from: (target) => ({ topic: `${prefix}/to/${slug(target)}` }),
    to: (source) => ({ topic: `${prefix}/from/${slug(source)}` }),
    send: async (target, sent) => {
      const { payload, options } = encode(sent);
      await client.publishAsync(`${prefix}/to/${slug(target)}`, payload, options);
    },
    receive: async (_, id) => (await mailbox.take(id)).read,
    packet: async (id) => (await mailbox.take(id)).packet,
    close: () => client.endAsync(),
  };
}

function encode(sent: Message): { payload: Buffer; options: IClientPublishOptions } {
  const { contentType, correlationId, expiresAt, replyTo } = sent;
  const properties: Properties = { userProperties: userProperties(sent) };
  if (contentType !== undefined) properties.contentType = contentType;
  if (contentType?.startsWith('text/')) properties.payloadFormatIndicator = true;
  if (correlationId !== undefined) properties.correlationData = Buffer.from(correlationId);
  if (expiresAt !== undefined) properties.messageExpiryInterval = Math.ceil((expiresAt - Date.now()) / 1000);
  if (replyTo?.scheme === 'topic') properties.responseTopic = replyTo.segments.join('/');
  return { payload: sent.body, options: { qos: 1, retain: sent.retain ?? false, properties } };
}

function userProperties(sent: Message): Record<string, string[]> {
  const { id, type, subject, contentEncoding, priority, replyTo, time, redelivered, trace, via = [] } = sent;
  const pairs: [string, string | undefined][] = [
    ...(sent.headers ?? []).map(([name, value]): [string, string] => [name, String(value)]),
    ['magpie-id', id],
    ['magpie-type', type],
    ['magpie-subject', subject],
    ['magpie-content-encoding', contentEncoding],
    ['magpie-priority', priority === undefined ? undefined : String(priority)],
    ['magpie-time', time === undefined ? undefined : new Date(time).toISOString()],
    ['magpie-reply-to', replyTo && replyTo.scheme !== 'topic' ? placeText(replyTo) : undefined],
    ['magpie-redelivered', redelivered ? 'true' : undefined],
    ['traceparent', trace?.traceparent],
    ['tracestate', trace?.tracestate],
    ...via.map((gateway): [string, string] => ['magpie-via', gateway]),
  ];
  const grouped: Record<string, string[]> = {};
  for (const [name, value] of pairs) if (value !== undefined) grouped[name] = [...(grouped[name] ?? []), value];
  return grouped;
}

function decode({ payload, retain, properties = {} }: IPublishPacket): Message {
  const user = new Map(Object.entries(properties.userProperties ?? {}).map(([name, value]) => [name, [value].flat()]));
  const all = (name: string): readonly string[] | undefined => {
    const values = user.get(name);
    user.delete(name);
    return values;
  };
  const one = (name: string): string | undefined => all(name)?.[0];
  const [foreign, priority, time] = [one('magpie-reply-to'), one('magpie-priority'), one('magpie-time')];
  const [traceparent, tracestate] = [one('traceparent'), one('tracestate')];
  const { responseTopic, correlationData, contentType, messageExpiryInterval: seconds } = properties;
  if (foreign?.startsWith('topic:')) throw new Error(`the topic ${foreign} belongs into the Response Topic`);
  const native = responseTopic === undefined ? undefined : { scheme: 'topic', segments: responseTopic.split('/') };
  return message({
    ...{ id: one('magpie-id'), type: one('magpie-type'), subject: one('magpie-subject'), via: all('magpie-via') },
    body: Buffer.from(payload),
    contentType,
    contentEncoding: one('magpie-content-encoding'),
    correlationId: correlationData?.toString(),
    replyTo: native ?? (foreign === undefined ? undefined : parsePlace(foreign)),
    priority: priority === undefined ? undefined : Number(priority),
    retain: retain || undefined,
    redelivered: one('magpie-redelivered') === 'true' || undefined,
    trace: traceparent === undefined ? undefined : { traceparent, ...(tracestate === undefined ? {} : { tracestate }) },
    time: time === undefined ? undefined : Date.parse(time),
    expiresAt: seconds === undefined ? undefined : Date.now() + seconds * 1000,
    headers: [...user].flatMap(([name, values]) => values.map((value) => [name, value] as const)),
  });
}
