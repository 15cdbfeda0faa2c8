import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfirmReader } from '../../src/wire/confirm-reader.ts';
import { amqplib, deliveryFrames } from '../support/amqplib-codec.ts';
import { consumed } from '../support/messages.ts';
import { arbitraryMessage } from './arbitrary.ts';
import { CHANNEL, reading } from './frames.ts';

const delivery = (text: string, deliveryTag = 1): Buffer =>
  Buffer.concat(deliveryFrames(CHANNEL, { ...consumed({}, { deliveryTag }), content: Buffer.from(text) }));
const HEARTBEAT = Buffer.of(8, 0, 0, 0, 0, 0, 0, 206);
const ack = (channel: number, deliveryTag: number, multiple = false, id = amqplib.BasicAck): Buffer =>
  amqplib.encodeMethod(id, channel, { deliveryTag, multiple, requeue: false });
const texts = ({ messages }: ReturnType<typeof reading>): string[] => messages.map(({ content }) => content.toString());

describe('what is received', () => {
  it('is read as amqplib would, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(arbitraryMessage, { maxLength: 4 }), fc.integer({ min: 1, max: 700 }), (list, size) => {
        const bytes = Buffer.concat(list.flatMap((message) => [...deliveryFrames(CHANNEL, message), HEARTBEAT]));
        const whole = reading();
        for (let at = 0; at < bytes.length; at += size) whole.receive(bytes.subarray(at, at + size));
        expect(whole.frames).toHaveLength(list.length);
        expect(whole.messages).toHaveLength(list.length);
        for (const [index, { fields, content }] of list.entries()) {
          expect(whole.messages[index]?.fields).toEqual({ ...fields, consumerTag: 'tag' });
          expect(whole.messages[index]?.content.equals(content)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is the same when it is cut at any one byte, with frames of others between', () => {
    const bytes = Buffer.concat([
      delivery('one'),
      HEARTBEAT,
      ack(9, 3),
      delivery('', 2),
      delivery('x'.repeat(3000), 3),
    ]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const got = reading(4096, bytes.subarray(0, Math.min(cut, 3)));
      got.receive(bytes.subarray(Math.min(cut, 3), cut));
      got.receive(bytes.subarray(cut));
      expect(texts(got)).toEqual(['one', '', 'x'.repeat(3000)]);
      expect(got.messages.map(({ fields }) => fields.deliveryTag)).toEqual([1, 2, 3]);
      expect(got.frames.map(({ channel }) => channel)).toEqual([0, 9]);
    }
  });

  it('byte by byte keeps the heartbeat satisfied', () => {
    const got = reading();
    for (const byte of delivery('slow')) {
      got.connection.recvSinceLastCheck = false;
      got.receive(Buffer.of(byte));
      expect(got.connection.recvSinceLastCheck).toBe(true);
    }
    expect(texts(got)).toEqual(['slow']);
  });

  it('goes to amqplib once a channel is given up, and all of it after the goodbye', () => {
    const got = reading();
    got.inbound.detach(CHANNEL);
    got.receive(delivery('a'));
    expect(got.frames).toHaveLength(3);
    const other = reading();
    other.inbound.detachAll();
    other.receive(delivery('a'));
    expect([other.frames.length, other.messages.length]).toEqual([3, 0]);
  });
});

describe('confirmations', () => {
  const confirming = () => {
    const got = reading();
    const confirmed: [number, boolean, boolean][] = [];
    got.inbound.attach(7, new ConfirmReader((...one) => confirmed.push(one)));
    return { ...got, confirmed };
  };

  it('are read with their number, and nothing else of their channel is', () => {
    const got = confirming();
    const tags = [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    for (const tag of tags) got.receive(Buffer.concat([ack(7, tag), ack(7, tag, true, amqplib.BasicNack)]));
    got.receive(Buffer.concat(deliveryFrames(7, consumed())));
    expect(got.confirmed).toEqual(
      tags.flatMap((tag) => [
        [tag, false, true],
        [tag, true, false],
      ]),
    );
    expect(got.frames).toHaveLength(3);
  });

  it('of a number no message can have end the link', () => {
    const frame = ack(7, 0);
    frame.fill(0xff, 11, 19);
    expect(() => confirming().receive(frame)).toThrow(/^the broker has sent the delivery tag/);
  });
});

describe('what breaks the protocol ends the link', () => {
  const broken = (bytes: Buffer): string => {
    const got = reading();
    let message = '';
    try {
      got.receive(bytes);
    } catch (error) {
      message = error instanceof Error ? error.message : '';
    }
    // Nothing is read after that.
    expect(got.connection.recvFrame()).toBe(false);
    expect(got.messages).toEqual([]);
    return message;
  };
  const [method, header, body] = deliveryFrames(CHANNEL, consumed());
  const frames = (...parts: (Buffer | undefined)[]): Buffer => Buffer.concat(parts.map((part) => part ?? HEARTBEAT));
  const cutShort = (frame: Buffer | undefined, bytes: number): Buffer => {
    const shorter = Buffer.concat([frame!.subarray(0, -1 - bytes), Buffer.of(206)]);
    shorter.writeUInt32BE(shorter.length - 8, 3);
    return shorter;
  };

  it.each([
    ['a frame too large', Buffer.of(3, 0, 5, 0, 1, 0, 0), 'a frame of 65536 bytes, more than the 4096 agreed upon'],
    ['a frame without its end', Buffer.concat([method!.subarray(0, -1), Buffer.of(0)]), 'a frame without its end'],
    ['a method cut short', cutShort(method, 3), 'a frame that ends inside a field'],
    ['no header', frames(method, body), 'a delivery without its header'],
    ['two methods', frames(method, method), 'a delivery without its header'],
    ['a header cut short', frames(method, cutShort(header, 1)), 'a frame that ends inside a field'],
    ['no body', frames(method, header, method), 'another frame instead of the body of a delivery'],
    [
      'a body too long',
      frames(method, header, amqplib.makeBodyFrame(CHANNEL, Buffer.alloc(5))),
      'a body of more than the announced 4 bytes',
    ],
  ])('%s', (_, bytes, problem) => {
    expect(broken(bytes)).toBe(`the broker has sent ${problem}`);
  });

  it('whatever bytes come, and only by an error', () => {
    const frame = fc
      .record({
        type: fc.integer({ min: 0, max: 9 }),
        prefix: fc.constantFrom(method!.subarray(7, 11), header!.subarray(7, 21), Buffer.alloc(0)),
        payload: fc.uint8Array({ maxLength: 60 }),
      })
      .map(({ type, prefix, payload }) => {
        const bytes = Buffer.concat([Buffer.of(type, 0, CHANNEL, 0, 0, 0, 0), prefix, payload, Buffer.of(206)]);
        bytes.writeUInt32BE(bytes.length - 8, 3);
        return bytes;
      });
    const valid = fc.constantFrom(method!, header!, body!);
    fc.assert(
      fc.property(fc.array(fc.oneof(frame, valid, fc.uint8Array({ maxLength: 30 })), { maxLength: 6 }), (parts) => {
        const got = reading();
        try {
          got.receive(Buffer.concat(parts));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(got.connection.recvFrame()).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
