import amqp, { type ConsumeMessage, type Options } from 'amqplib';
import { createMailbox } from './mailbox.ts';
import {
  type Header,
  type Message,
  message,
  parsePlace,
  placeText,
  SOURCES,
  type Source,
  slug,
  TARGETS,
  type Target,
  type Value,
} from './message.ts';

/** An AMQP client beside the gateway. */
export interface AmqpSide extends Source, Target {
  /** The delivery that brought the message with this id. */
  delivery(id: string): Promise<ConsumeMessage>;
  close(): Promise<void>;
}

/** Connects; it sends to queues `<prefix>-to-…` and reads the keys `from.…` of an exchange. */
export async function amqpSide(url: string, prefix: string): Promise<AmqpSide> {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  const mailbox = createMailbox<{ read: Message; delivery: ConsumeMessage }>();
  const [exchange, inbox] = [`${prefix}-out`, `${prefix}-from`];
  const durable = { durable: true, exclusive: false, autoDelete: false };
  for (const target of TARGETS) await channel.assertQueue(`${prefix}-to-${slug(target)}`, durable);
  await channel.assertExchange(exchange, 'topic', { durable: true });
  await channel.assertQueue(inbox, { durable: false, exclusive: true });
  for (const source of SOURCES) await channel.bindQueue(inbox, exchange, `from.${slug(source)}`);
  await channel.consume(inbox, (delivery) => {
    if (!delivery) return;
    channel.ack(delivery);
    const read = decode(delivery);
    mailbox.put(read.id, { read, delivery });
  });
  return {
    from: (target) => ({ queue: `${prefix}-to-${slug(target)}` }),
    to: (source) => ({ exchange, routingKey: `from.${slug(source)}` }),
    send: async (target, sent) => {
      channel.publish('', `${prefix}-to-${slug(target)}`, sent.body, encode(sent));
      await channel.waitForConfirms();
    },
    receive: async (_, id) => (await mailbox.take(id)).read,
    delivery: async (id) => (await mailbox.take(id)).delivery,
    close: async () => {
      for (const target of TARGETS) await channel.deleteQueue(`${prefix}-to-${slug(target)}`);
      await channel.deleteExchange(exchange);
      await connection.close();
    },
  };
}

function encode(sent: Message): Options.Publish {
  const { id, type, contentType, contentEncoding, correlationId, priority, expiresAt, time, replyTo } = sent;
  const queue = replyTo?.scheme === 'queue' ? replyTo.segments[0] : undefined;
  return {
    messageId: id,
    // The broker takes no other name than that of the login.
    userId: 'magpie',
    ...(type === undefined ? {} : { type }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(contentEncoding === undefined ? {} : { contentEncoding }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(priority === undefined ? {} : { priority }),
    ...(expiresAt === undefined ? {} : { expiration: expiresAt - Date.now() }),
    ...(time === undefined ? {} : { timestamp: Math.floor(time / 1000) }),
    ...(queue === undefined ? {} : { replyTo: queue }),
    headers: headerTable(sent, queue === undefined),
  };
}

function headerTable(
  { headers = [], replyTo, subject, retain, redelivered, trace, via, time }: Message,
  foreign: boolean,
) {
  const table: Record<string, unknown> = {
    'x-reply-to': foreign && replyTo ? placeText(replyTo) : undefined,
    'x-magpie-subject': subject,
    'x-magpie-retain': retain,
    'x-magpie-redelivered': redelivered,
    'x-magpie-via': via,
    'x-magpie-time': time,
    ...trace,
  };
  // A table has each name once: values of a repeated one are a list.
  for (const [name, same] of Map.groupBy(headers, ([name]) => name)) {
    table[name] = same.length === 1 ? same[0]![1] : same.map(([, value]) => value);
  }
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined));
}

function decode({ content, properties }: ConsumeMessage): Message {
  const table = new Map<string, unknown>(Object.entries(properties.headers ?? {}));
  const take = (name: string): unknown => {
    const value = table.get(name);
    table.delete(name);
    return value;
  };
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const foreign = text(take('x-reply-to'));
  if (foreign?.startsWith('queue:')) throw new Error(`${foreign} belongs into the reply-to property`);
  const queue = text(properties.replyTo);
  const native = queue === undefined ? undefined : { scheme: 'queue', segments: [queue] };
  const [traceparent, tracestate] = [text(take('traceparent')), text(take('tracestate'))];
  const [exact, expiry, via] = [take('x-magpie-time'), take('x-magpie-expires-at'), take('x-magpie-via')];
  return message({
    id: text(properties.messageId),
    body: content,
    type: text(properties.type),
    contentType: text(properties.contentType),
    contentEncoding: text(properties.contentEncoding),
    correlationId: text(properties.correlationId),
    subject: text(take('x-magpie-subject')),
    replyTo: native ?? (foreign === undefined ? undefined : parsePlace(foreign)),
    priority: typeof properties.priority === 'number' ? properties.priority : undefined,
    retain: take('x-magpie-retain') === true || undefined,
    redelivered: take('x-magpie-redelivered') === true || undefined,
    trace: traceparent === undefined ? undefined : { traceparent, ...(tracestate === undefined ? {} : { tracestate }) },
    via: Array.isArray(via) ? via.map(String) : publisher(properties.appId),
    time: typeof exact === 'number' ? exact : timeOf(properties.timestamp, text(properties.messageId)),
    expiresAt: expiryOf(properties.expiration, expiry),
    headers: [...table].map(([name, value]): Header => [name, value as Value]),
  });
}

/** A gateway that has published the message is the one it has passed. */
const publisher = (appId: unknown): string[] | undefined =>
  typeof appId === 'string' && appId.startsWith('magpie/') ? [appId.slice('magpie/'.length)] : undefined;

/** The milliseconds are in a message id that is a UUIDv7 (RFC 9562, 5.7) of the same second. */
function timeOf(timestamp: unknown, id = ''): number | undefined {
  if (typeof timestamp !== 'number') return undefined;
  const [, high = '', low = ''] = /^([\da-f]{8})-([\da-f]{4})-7/.exec(id) ?? [];
  const made = Number.parseInt(high + low, 16);
  return Math.floor(made / 1000) === timestamp ? made : timestamp * 1000;
}

/** The exact time, which must agree with the property that the broker acts on. */
function expiryOf(expiration: unknown, exact: unknown): number | undefined {
  if (expiration === undefined || typeof exact !== 'number') return undefined;
  const drift = Math.abs(Date.now() + Number(expiration) - exact);
  return drift < 5000 ? exact : Number.NaN;
}
