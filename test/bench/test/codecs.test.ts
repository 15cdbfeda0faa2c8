import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSequence, SEQUENCE_OFFSET, templateBody, writeSequence } from '../driver/body.ts';
import { ackFrame, amqpTemplate, FRAME, METHOD, readFrames } from '../driver/codecs/amqp-codec.ts';
import {
  connectPacket,
  pubackPackets,
  publishTemplate,
  readPackets,
  subscribePacket,
} from '../driver/codecs/mqtt-codec.ts';
import { clientFrame, OPCODE, streamReader } from '../driver/codecs/websocket-codec.ts';
import { readAnswer } from '../driver/ends/http-ends.ts';
import { readMessages } from '../driver/ends/xmpp-ends.ts';
import { framed } from '../driver/line.ts';
import { inPieces } from './cut.ts';

const lengths = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
const sequences = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 20 });

const numbered = (template: { bytes: Buffer; sequenceAt: number }, sequence: number): Buffer => {
  const bytes = Buffer.from(template.bytes);
  writeSequence(bytes, template.sequenceAt, sequence);
  return bytes;
};

describe('the MQTT codec', () => {
  it('writes what the specification shows', () => {
    expect(connectPacket('a', 4).toString('hex')).toBe('100d00044d51545404020000000161');
    expect(connectPacket('a', 5).toString('hex')).toBe('100e00044d5154540502000000000161');
    const login = { user: 'u', password: 'p' };
    expect(connectPacket('a', 4, login).toString('hex')).toBe('101300044d51545404c20000000161000175000170');
    expect(subscribePacket('a/b', 1, 4).toString('hex')).toBe('820800010003612f6201');
    expect(pubackPackets([10, 258]).toString('hex')).toBe('4002000a40020102');
  });

  it.each([
    [4, 0],
    [4, 1],
    [5, 0],
    [5, 1],
  ] as const)('reads its own PUBLISH packets however they are cut (version %i, QoS %i)', (version, qos) => {
    const template = publishTemplate('plant/7', templateBody(256), qos, version);
    fc.assert(
      fc.property(sequences, lengths, (wanted, cuts) => {
        const stream = Buffer.concat(
          wanted.map((sequence) => {
            const bytes = numbered(template, sequence);
            if (qos === 1) bytes.writeUInt16BE((sequence % 65_535) + 1, template.idAt);
            return bytes;
          }),
        );
        const got: { sequence: number; id: number }[] = [];
        const publish = (bytes: Buffer, at: number, id: number): void =>
          void got.push({ sequence: readSequence(bytes, at + SEQUENCE_OFFSET), id });
        const other = (): void => expect.unreachable();
        inPieces(
          stream,
          cuts,
          framed((bytes) => readPackets(bytes, version, { publish, other })),
        );
        expect(got).toEqual(wanted.map((sequence) => ({ sequence, id: qos === 0 ? 0 : (sequence % 65_535) + 1 })));
      }),
    );
  });

  it('refuses a length that never ends', () => {
    const nothing = { publish: () => undefined, other: () => undefined };
    expect(() => readPackets(Buffer.from('30ffffffffff', 'hex'), 4, nothing)).toThrow('length');
  });
});

describe('the AMQP codec', () => {
  it('reads its own messages however they are cut', () => {
    const template = amqpTemplate('', 'inbox', templateBody(256));
    fc.assert(
      fc.property(sequences, lengths, (wanted, cuts) => {
        const stream = Buffer.concat(wanted.map((sequence) => numbered(template, sequence)));
        const got: number[] = [];
        const types: number[] = [];
        const take = (type: number, bytes: Buffer, at: number): void => {
          types.push(type);
          if (type === FRAME.body) got.push(readSequence(bytes, at + SEQUENCE_OFFSET));
        };
        inPieces(
          stream,
          cuts,
          framed((bytes) => readFrames(bytes, take)),
        );
        expect(got).toEqual(wanted);
        expect(types).toEqual(wanted.flatMap(() => [FRAME.method, FRAME.header, FRAME.body]));
      }),
    );
  });

  it('acknowledges everything up to a tag', () => {
    const frame = ackFrame(300n);
    let read = 0;
    readFrames(frame, (type, bytes, at, end) => {
      read++;
      expect(type).toBe(FRAME.method);
      expect(bytes.readUInt32BE(at)).toBe(METHOD.ack);
      expect(bytes.readBigUInt64BE(at + 4)).toBe(300n);
      expect(bytes.subarray(at + 12, end).toString('hex')).toBe('01');
    });
    expect(read).toBe(1);
  });

  it('notices a frame without its end mark', () => {
    const bytes = ackFrame(1n);
    bytes[bytes.length - 1] = 0;
    expect(() => readFrames(bytes, () => undefined)).toThrow('mark');
  });
});

describe('the reader of HTTP answers', () => {
  const answer = 'HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\nx: y\r\n\r\nhello';

  it('knows status and size of a complete answer, and waits for an incomplete one', () => {
    expect(readAnswer(Buffer.from(answer))).toEqual({ status: 202, size: answer.length });
    for (let end = 0; end < answer.length; end++) expect(readAnswer(Buffer.from(answer.slice(0, end)))).toBeUndefined();
  });

  it('refuses an answer without a length', () => {
    expect(() => readAnswer(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('Content-Length');
    expect(readAnswer(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'))).toMatchObject({ status: 204 });
  });
});

/** A server's text frame. */
const textFrame = (text: string): Buffer => {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = 0x80 | OPCODE.text;
  head[1] = head.length === 2 ? payload.length : head.length === 4 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
};

describe('the reader of WebSocket frames', () => {
  const event = (sequence: number): string => {
    const body = templateBody(256);
    writeSequence(body, SEQUENCE_OFFSET, sequence);
    return `{"position":"1:0:2","event":{"payload":${body}}}`;
  };

  it('finds each number once, in frames of any size, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(sequences, { maxLength: 4 }), lengths, (frames, cuts) => {
        const text = (list: readonly number[]): string => `{"type":"events","events":[${list.map(event).join(',')}]}`;
        const stream = Buffer.concat(frames.map((list) => textFrame(text(list))));
        const got: number[] = [];
        const unexpected = (): void => expect.unreachable();
        const read = streamReader({ sequence: (each) => got.push(each), ping: unexpected, close: unexpected });
        inPieces(stream, cuts, read);
        expect(got).toEqual(frames.flat());
      }),
    );
  });

  it('tells of pings and closes between other frames, however they are cut', () => {
    const ping = Buffer.from([0x89, 2, 104, 105]);
    const stream = Buffer.concat([textFrame(event(1)), ping, textFrame(event(2)), Buffer.from([0x88, 0])]);
    fc.assert(
      fc.property(lengths, (cuts) => {
        const told: unknown[] = [];
        const read = streamReader({
          sequence: (each) => told.push(each),
          ping: (payload) => told.push(payload.toString()),
          close: () => told.push('closed'),
        });
        inPieces(stream, cuts, read);
        expect(told).toEqual([1, 'hi', 2, 'closed']);
      }),
    );
  });

  it('masks what a client sends with zeros', () => {
    expect(clientFrame(OPCODE.text, Buffer.from('hi')).toString('hex')).toBe('8182000000006869');
    expect(clientFrame(OPCODE.text, Buffer.alloc(200)).subarray(0, 8).toString('hex')).toBe('81fe00c800000000');
  });
});

describe('the reader of XMPP messages', () => {
  it('takes one number per message, wherever it stands first', () => {
    const body = (sequence: number): string => {
      const bytes = templateBody(256);
      writeSequence(bytes, SEQUENCE_OFFSET, sequence);
      return bytes.toString().replaceAll('"', '&quot;');
    };
    const stream = Buffer.from(
      `<presence/><message id="1"><body>${body(4)}</body><copy>${body(4)}</copy></message><message><subject/></message><message><body>${body(5)}</body></message>`,
    );
    fc.assert(
      fc.property(lengths, (cuts) => {
        const got: number[] = [];
        inPieces(
          stream,
          cuts,
          framed((bytes) => readMessages(bytes, (sequence) => got.push(sequence))),
        );
        expect(got).toEqual([4, 5]);
      }),
    );
  });
});
