import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ackBytes, createOutgoing } from '../../src/wire/outgoing.ts';
import { heldSocket, message, packetsOf, parseWithLibrary } from '../support/wire.ts';

describe('the writer of a socket', () => {
  it('writes all of one turn in one go, in order', async () => {
    const { socket, chunks } = heldSocket(1024);
    const outgoing = createOutgoing(socket, 3, () => undefined);
    outgoing.publish(message({ topic: 'a' }), 1);
    outgoing.acknowledge(ackBytes('puback', 0xfffe));
    outgoing.publish(message({ topic: 'b', qos: 1 }), 2);
    expect(chunks).toEqual([]);
    await vi.waitFor(() => expect(chunks.length).toBe(1));
    expect(parseWithLibrary(chunks[0] ?? Buffer.alloc(0), 3)).toMatchObject([
      { topic: 'a' },
      { cmd: 'puback', messageId: 0xfffe },
      { topic: 'b', messageId: 2 },
    ]);
  });

  it('holds everything while the socket takes nothing, and says when it does again', async () => {
    const { socket, chunks, take } = heldSocket(10);
    let handedOver = 0;
    const outgoing = createOutgoing(socket, 3, () => handedOver++);
    outgoing.publish(message({ topic: 'first' }), 0);
    outgoing.flush();
    expect([outgoing.blocked, handedOver]).toEqual([true, 0]);
    outgoing.publish(message({ topic: 'second' }), 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(chunks.length).toBe(1);
    take();
    await vi.waitFor(() => expect(chunks.length).toBe(2));
    expect(handedOver).toBe(0);
    take();
    await vi.waitFor(() => expect(handedOver).toBe(1));
    expect(outgoing.blocked).toBe(false);
  });

  it('keeps order and content whatever the sizes', () => {
    const size = fc.oneof(
      fc.nat({ max: 50 }),
      fc.integer({ min: 8_000, max: 9_000 }),
      fc.integer({ min: 60_000, max: 140_000 }),
    );
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 30 }), (lengths) => {
        const { socket, chunks, take } = heldSocket(Number.MAX_SAFE_INTEGER);
        const outgoing = createOutgoing(socket, 5, () => undefined);
        for (const [index, length] of lengths.entries()) {
          outgoing.publish(message({ topic: String(index), payload: Buffer.alloc(length, index) }), 0);
        }
        outgoing.flush();
        // The socket gets one chunk at a time.
        for (let count = 0; count <= 2 * lengths.length; count++) take();
        const read = packetsOf(chunks, 5);
        expect(read.published.map(({ topic: name }) => name)).toEqual(lengths.map((_, index) => String(index)));
        for (const [index, { payload }] of read.published.entries()) {
          expect(Buffer.alloc(lengths[index] ?? -1, index).equals(payload)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });
});
