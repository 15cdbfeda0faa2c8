import { Malformed } from '@magpie/adapter-kit';
import { GatheredBytes } from '@magpie/contract';
import type { ConsumeMessage, MessageProperties } from 'amqplib';
import type { FrameCursor } from './cursor.ts';
import { BASIC, FRAME, METHOD, PROPERTY } from './frames.ts';
import type { Route } from './inbound.ts';
import { readTable } from './table.ts';

const EMPTY = Buffer.alloc(0);

/** Limit of a body, and the callback for larger messages. */
export interface BodyLimit {
  /** Largest body that is assembled, bytes. */
  readonly bytes: number;
  /** Called for a complete message that was dropped. Must not throw. */
  skipped(deliveryTag: number, bytes: number): void;
}

const UNLIMITED: BodyLimit = { bytes: Number.POSITIVE_INFINITY, skipped: () => undefined };

/** Assembles the deliveries of one channel from their frames (AMQP 0-9-1, 4.2.6). */
export class DeliveryReader implements Route {
  readonly #consumerTag: string;
  readonly #take: (message: ConsumeMessage) => void;
  readonly #limit: BodyLimit;
  #fields: ConsumeMessage['fields'] | undefined;
  #properties: MessageProperties | undefined;
  #size = 0;
  #filled = 0;
  #body: GatheredBytes | undefined;

  /** @param take called with each message, whose body may be a view of the received chunk; must not throw. */
  constructor(consumerTag: string, take: (message: ConsumeMessage) => void, limit: BodyLimit = UNLIMITED) {
    this.#consumerTag = consumerTag;
    this.#take = take;
    this.#limit = limit;
  }

  frame(type: number, cursor: FrameCursor): boolean {
    if (this.#properties) this.#piece(type, cursor);
    else if (this.#fields) this.#header(type, cursor);
    else return this.#begin(type, cursor);
    return true;
  }

  #begin(type: number, cursor: FrameCursor): boolean {
    if (type !== FRAME.method || cursor.uint32() !== METHOD.deliver) return false;
    cursor.skip(cursor.byte()); // The consumer tag, which is the one we asked for.
    const deliveryTag = cursor.uint64();
    if (!Number.isSafeInteger(deliveryTag)) throw new Malformed(`the delivery tag ${deliveryTag}`);
    const redelivered = (cursor.byte() & 1) === 1;
    const exchange = cursor.frequentShortText();
    const routingKey = cursor.frequentShortText();
    this.#fields = { consumerTag: this.#consumerTag, deliveryTag, redelivered, exchange, routingKey };
    return true;
  }

  #header(type: number, cursor: FrameCursor): void {
    if (type !== FRAME.header || cursor.uint16() !== BASIC) throw new Malformed('a delivery without its header');
    cursor.skip(2);
    this.#size = cursor.uint64();
    this.#filled = 0;
    this.#properties = readProperties(cursor);
    if (this.#size === 0) this.#complete(EMPTY);
  }

  #piece(type: number, { bytes, at, end }: FrameCursor): void {
    if (type !== FRAME.body) throw new Malformed('another frame instead of the body of a delivery');
    this.#filled += end - at;
    if (this.#filled > this.#size) throw new Malformed(`a body of more than the announced ${this.#size} bytes`);
    // A body announced above the limit is read and dropped piece by piece.
    if (this.#size > this.#limit.bytes) {
      if (this.#filled === this.#size) this.#skip();
      return;
    }
    this.#body ??= new GatheredBytes(this.#size);
    this.#body.add(bytes.subarray(at, end));
    if (this.#filled < this.#size) return;
    const body = this.#body.take();
    this.#body = undefined;
    this.#complete(body);
  }

  #skip(): void {
    const { deliveryTag } = this.#fields!;
    this.#fields = undefined;
    this.#properties = undefined;
    this.#limit.skipped(deliveryTag, this.#size);
  }

  #complete(content: Buffer): void {
    const [fields, properties] = [this.#fields!, this.#properties!];
    this.#fields = undefined;
    this.#properties = undefined;
    this.#take({ fields, properties, content });
  }
}

/** Reads the properties of a content header as amqplib shows them (AMQP 0-9-1, 4.2.6.1). */
function readProperties(cursor: FrameCursor): MessageProperties {
  const flags = cursor.uint16();
  // The last bit announces more flags, of which there are none.
  if ((flags & 1) === 1) throw new Malformed('a header with unknown properties');
  const text = (flag: number): string | undefined => ((flags & flag) === 0 ? undefined : cursor.shortText());
  const frequent = (flag: number): string | undefined =>
    (flags & flag) === 0 ? undefined : cursor.frequentShortText();
  // In the order in which they follow each other.
  return {
    contentType: frequent(PROPERTY.contentType),
    contentEncoding: frequent(PROPERTY.contentEncoding),
    headers: (flags & PROPERTY.headers) === 0 ? undefined : readTable(cursor),
    deliveryMode: (flags & PROPERTY.deliveryMode) === 0 ? undefined : cursor.byte(),
    priority: (flags & PROPERTY.priority) === 0 ? undefined : cursor.byte(),
    correlationId: text(PROPERTY.correlationId),
    replyTo: frequent(PROPERTY.replyTo),
    expiration: frequent(PROPERTY.expiration),
    messageId: text(PROPERTY.messageId),
    timestamp: (flags & PROPERTY.timestamp) === 0 ? undefined : cursor.uint64(),
    type: frequent(PROPERTY.type),
    userId: frequent(PROPERTY.userId),
    appId: frequent(PROPERTY.appId),
    clusterId: frequent(PROPERTY.clusterId),
  };
}
