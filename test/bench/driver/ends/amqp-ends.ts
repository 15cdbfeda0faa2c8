import { findSequence, readSequence, SEQUENCE_OFFSET, templateBody, writeSequence } from '../body.ts';
import {
  type AmqpTemplate,
  ackFrame,
  amqpTemplate,
  FRAME,
  HANDSHAKE,
  METHOD,
  PROTOCOL_HEADER,
  readFrames,
} from '../codecs/amqp-codec.ts';
import { framed, type Line, openLine } from '../line.ts';
import type { SinkSpecification, SourceSpecification } from '../specification.ts';
import type { Listener, Sink, Source } from './ends.ts';

/** What RabbitMQ offers by itself. */
const FRAME_MAX = 131_072;
const MOST_UNCONFIRMED = 20_000;
const PREFETCH = 2000;
/** Deliveries acknowledged at once. */
const ACKNOWLEDGED_TOGETHER = 100;

type Login = { readonly port: number; readonly user: string; readonly password: string };

/** Publishes persistent messages with confirms, many per write. */
export async function amqpSource(
  { exchange, routingKey, ...login }: Extract<SourceSpecification, { kind: 'amqp' }>,
  body: number,
  listener: Listener,
): Promise<Source> {
  let sent = 0;
  let confirmed = 0;
  const channel = await openChannel(login, listener, {
    method: (id, bytes, at) => {
      // One without `multiple` confirms one; confirmations never overtake each other far.
      const tag = Number(bytes.readBigUInt64BE(at));
      confirmed = bytes[at + 8] === 1 ? Math.max(confirmed, tag) : confirmed + 1;
      if (id === METHOD.nack) listener.failed(new Error(`RabbitMQ refused message ${tag} (basic.nack)`));
    },
    body: () => undefined,
  });
  await channel.ask(HANDSHAKE.confirmSelect(), METHOD.confirmSelectOk);
  const template: AmqpTemplate = amqpTemplate(exchange, routingKey, templateBody(body));
  const size = template.bytes.length;
  return {
    room: () => Math.max(0, MOST_UNCONFIRMED - (sent - confirmed)),
    send: (first, count) => {
      const bytes = Buffer.allocUnsafe(size * count);
      for (let index = 0; index < count; index++) {
        template.bytes.copy(bytes, index * size);
        writeSequence(bytes, index * size + template.sequenceAt, first + index);
      }
      sent += count;
      channel.write(bytes);
    },
    close: channel.close,
  };
}

/** Counts what a queue delivers, without acknowledgements or with many in one. */
export async function amqpSink(
  { queue, acknowledge = false, ...login }: Extract<SinkSpecification, { kind: 'amqp' }>,
  listener: Listener,
): Promise<Sink> {
  let tag = 0n;
  let unacknowledged = 0;
  let first = false;
  const channel = await openChannel(login, listener, {
    method: (id, bytes, at) => {
      if (id !== METHOD.deliver) return;
      first = true;
      tag = bytes.readBigUInt64BE(at + 1 + bytes[at]!);
    },
    body: (bytes, at) => {
      if (!first) return; // The rest of a body in several frames.
      first = false;
      const sequence = readSequence(bytes, at + SEQUENCE_OFFSET);
      if (sequence >= 0) listener.arrived(sequence);
      else findSequence(bytes, at, listener.arrived);
      if (!acknowledge || ++unacknowledged < ACKNOWLEDGED_TOGETHER) return;
      unacknowledged = 0;
      channel.write(ackFrame(tag));
    },
  });
  if (acknowledge) await channel.ask(HANDSHAKE.qos(PREFETCH), METHOD.qosOk);
  await channel.ask(HANDSHAKE.consume(queue, !acknowledge), METHOD.consumeOk);
  return { close: channel.close };
}

interface ChannelReader {
  /** A delivery or a confirmation; its fields begin at `at`. */
  method(id: number, bytes: Buffer, at: number): void;
  body(bytes: Buffer, at: number): void;
}

interface Channel extends Line {
  /** Sends a frame and waits for this method. */
  ask(bytes: Buffer, answer: number): Promise<void>;
}

/** Logs in and opens channel 1. */
async function openChannel(
  { port, user, password }: Login,
  listener: Listener,
  reader: ChannelReader,
): Promise<Channel> {
  const awaited = new Map<number, () => void>();
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => undefined);
  const fail = (error: Error): void => {
    reject(error);
    listener.failed(error);
  };
  const onMethod = (bytes: Buffer, at: number): void => {
    const id = bytes.readUInt32BE(at);
    if (id === METHOD.deliver || id === METHOD.ack || id === METHOD.nack) reader.method(id, bytes, at + 4);
    if (id === METHOD.connectionClose || id === METHOD.channelClose) {
      const length = bytes[at + 6]!;
      fail(new Error(`RabbitMQ closed: ${bytes.toString('utf8', at + 7, at + 7 + length)}`));
    }
    awaited.get(id)?.();
  };
  const read = framed((all) =>
    readFrames(all, (type, bytes, at) => {
      if (type === FRAME.method) onMethod(bytes, at);
      else if (type === FRAME.body) reader.body(bytes, at);
    }),
  );
  const line = await openLine(
    port,
    (bytes) => {
      read(bytes);
      listener.settled();
    },
    fail,
  );
  const ask = (bytes: Buffer, answer: number): Promise<void> => {
    const answered = new Promise<void>((resolve) => awaited.set(answer, resolve));
    line.write(bytes);
    return Promise.race([answered, broken]);
  };
  await ask(PROTOCOL_HEADER, METHOD.connectionStart);
  await ask(HANDSHAKE.startOk(user, password), METHOD.connectionTune);
  line.write(HANDSHAKE.tuneOk(FRAME_MAX));
  await ask(HANDSHAKE.open(), METHOD.connectionOpenOk);
  await ask(HANDSHAKE.channelOpen(), METHOD.channelOpenOk);
  return { ...line, ask };
}
