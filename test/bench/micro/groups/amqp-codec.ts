import assert from 'node:assert/strict';
import type { ReceivedEvent } from '@magpie/contract';
import type { ConsumeMessage } from 'amqplib';
import { decode } from '../../../../packages/adapter-amqp/src/codec/decode.ts';
import { type EncodeContext, encode } from '../../../../packages/adapter-amqp/src/codec/encode.ts';
import { FrameCursor } from '../../../../packages/adapter-amqp/src/wire/cursor.ts';
import { DeliveryReader } from '../../../../packages/adapter-amqp/src/wire/delivery-reader.ts';
import { FRAME, FRAME_HEAD, METHOD } from '../../../../packages/adapter-amqp/src/wire/frames.ts';
import { Writer } from '../../../../packages/adapter-amqp/src/wire/writer.ts';
import { type Case, type Subject, simple } from '../case.ts';
import { jsonBody, NOW, outgoingEvent } from '../samples.ts';

const ENCODING: EncodeContext = { gatewayId: 'plant-a', now: () => NOW, persistent: true, frameMax: 131_072 };
const DECODING = { queue: 'inbox', now: NOW, uniqueIds: false } as const;
const CHANNEL = 1;

/** The payload of a `basic.deliver` frame. */
function deliverFrame(): Buffer {
  const writer = new Writer(Buffer.alloc(256));
  writer.uint32(METHOD.deliver);
  writer.shortText('c');
  writer.int64(1);
  writer.byte(0);
  writer.shortText('alarms');
  writer.shortText('plant.pump-7');
  return Buffer.from(writer.bytes.subarray(0, writer.at));
}

/** What the adapter makes of the frames of a message whose content header frame is this. */
function receiver(header: Buffer): () => ReceivedEvent {
  const frames = [
    { type: FRAME.method, bytes: deliverFrame(), from: 0 },
    { type: FRAME.header, bytes: header, from: FRAME_HEAD },
    { type: FRAME.body, bytes: jsonBody(256), from: 0 },
  ] as const;
  const cursor = new FrameCursor();
  let message: ConsumeMessage | undefined;
  const reader = new DeliveryReader('c', (taken) => {
    message = taken;
  });
  return () => {
    for (const { type, bytes, from } of frames) {
      cursor.reset(bytes, from, bytes.length);
      reader.frame(type, cursor);
    }
    assert(message);
    return decode(message, DECODING);
  };
}

/** The content header frame of the sample, without its end. */
function headerFrame(writer: Writer): Buffer {
  encode(writer, CHANNEL, outgoingEvent(jsonBody(256)), ENCODING);
  return Buffer.from(writer.bytes.subarray(0, writer.at - 1));
}

function checkEvent(event: ReceivedEvent): void {
  const { id, type, contentType, headers, via, trace, time, body } = outgoingEvent(jsonBody(256));
  const { address, origin: _, dedupeKey, dedupe: __, ...rest } = event;
  assert.deepEqual(address, { scheme: 'queue', segments: ['inbox', 'plant', 'pump-7'] });
  assert.equal(dedupeKey, `inbox/${id}`);
  assert.deepEqual(rest, { kind: 'message', id, type, contentType, headers, via, trace, time, body });
}

const decoding = (): Subject<ReceivedEvent> => ({
  run: receiver(headerFrame(new Writer(Buffer.alloc(4096)))),
  check: checkEvent,
});

function encoding(): Subject<Writer> {
  const event = outgoingEvent(jsonBody(256));
  const writer = new Writer(Buffer.alloc(4096));
  return {
    run: () => {
      writer.at = 0;
      encode(writer, CHANNEL, event, ENCODING);
      return writer;
    },
    check: ({ bytes, at }) => checkEvent(receiver(Buffer.from(bytes.subarray(0, at - 1)))()),
  };
}

/** Between frames of a message and an event. */
export const amqpCodec: readonly Case[] = [
  simple('AMQP: frames to event', decoding),
  simple('AMQP: event to header frame', encoding),
];
