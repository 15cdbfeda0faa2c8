import { PassThrough } from 'node:stream';
import type { ConsumeMessage } from 'amqplib';
import { DeliveryReader } from '../../src/wire/delivery-reader.ts';
import { type Inbound, interceptFrames } from '../../src/wire/inbound.ts';
import type { LibraryConnection } from '../../src/wire/library.ts';
import { amqplib, type DecodedFrame } from '../support/amqplib-codec.ts';

/** Reading as amqplib does it, with ours in front. */
export interface Reading {
  readonly inbound: Inbound;
  readonly connection: LibraryConnection;
  /** What our reader of channel 5 took. */
  readonly messages: ConsumeMessage[];
  /** What was left to amqplib. */
  readonly frames: DecodedFrame[];
  /** Receives a chunk and reads as far as it goes. Throws what ends the link. */
  receive(chunk: Buffer): void;
}

export const CHANNEL = 5;

/** Sets it up; `first` was received before. */
export function reading(frameMax = 4096, first = Buffer.alloc(0)): Reading {
  const stream = new PassThrough();
  const connection: LibraryConnection = {
    stream,
    frameMax,
    rest: first,
    recvSinceLastCheck: false,
    recvFrame() {
      const frame = amqplib.parseFrame(this.rest, 0);
      if (!frame) throw new Error('amqplib was asked for a frame that is not whole');
      this.rest = frame.rest;
      return amqplib.decodeFrame(frame);
    },
  };
  const messages: ConsumeMessage[] = [];
  const frames: DecodedFrame[] = [];
  const inbound = interceptFrames(connection);
  inbound.attach(CHANNEL, new DeliveryReader('tag', (message) => messages.push(message)));
  return {
    inbound,
    connection,
    messages,
    frames,
    receive(chunk) {
      stream.write(chunk);
      // biome-ignore lint/suspicious/noExplicitAny: what amqplib decodes, or false.
      for (let frame: any = connection.recvFrame(); frame; frame = connection.recvFrame()) frames.push(frame);
    },
  };
}
