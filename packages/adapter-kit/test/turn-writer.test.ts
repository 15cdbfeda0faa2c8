import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { TurnWriter } from '@magpie/adapter-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** A socket that keeps what it gets; `stuck` ones take it when told. */
function heldSocket(stuck: boolean, highWaterMark = 1) {
  const writes: Buffer[] = [];
  let waiting: (() => void) | undefined;
  const take = (chunk: Buffer, done: () => void): void => {
    writes.push(chunk);
    if (stuck) waiting = done;
    else done();
  };
  const socket = new Writable({
    highWaterMark,
    write: (chunk, _, done) => take(chunk, done),
    writev: (chunks, done) => take(Buffer.concat(chunks.map(({ chunk }) => chunk)), done),
  });
  return { socket, writes, release: () => waiting?.() };
}

const empty = () => ({ bytes: Buffer.alloc(0), at: 0 });

describe('the writer of a socket', () => {
  it('writes all of one turn in one go, in order, copied or not', async () => {
    const { socket, writes } = heldSocket(false);
    const writer = new TurnWriter(socket, empty());
    const parts = [Buffer.from('a'), Buffer.alloc(100_000, 'b'), Buffer.from('c')];
    for (const part of parts) {
      writer.add(part);
      writer.schedule();
    }
    expect(writes).toEqual([]);
    await turn();
    expect([writes.length, writer.writes]).toEqual([1, 1]);
    expect(writes[0]).toEqual(Buffer.concat(parts));
  });

  it('keeps everything while the socket takes nothing, and says when all of it is handed over', async () => {
    const { socket, writes, release } = heldSocket(true);
    let handedOver = 0;
    const writer = new TurnWriter(socket, empty(), { handedOver: () => handedOver++ });
    writer.add(Buffer.from('first'));
    writer.flush();
    writer.add(Buffer.from('second'));
    writer.schedule();
    await turn();
    expect([writer.blocked, writer.waiting, writes.length, handedOver]).toEqual([true, 6, 1, 0]);
    release();
    await turn();
    expect([writer.blocked, writes.length, handedOver]).toEqual([true, 2, 0]);
    release();
    await turn();
    expect([writer.blocked, handedOver]).toEqual([false, 1]);
  });

  it('asks for what is still to be added before it writes, also when the socket drains', async () => {
    const { socket, writes, release } = heldSocket(true);
    let late: string[] = [];
    const writer: TurnWriter = new TurnWriter(socket, empty(), {
      flushing() {
        for (const text of late) writer.add(Buffer.from(text));
        late = [];
      },
    });
    writer.add(Buffer.from('a'));
    late = ['b'];
    writer.flush();
    late = ['c'];
    release();
    await turn();
    expect(writes.map(String)).toEqual(['ab', 'c']);
  });

  it('gives a closed socket nothing', () => {
    const { socket, writes } = heldSocket(false);
    const writer = new TurnWriter(socket, empty());
    socket.destroy();
    writer.add(Buffer.from('a'));
    writer.flush();
    expect([writes.length, writer.waiting]).toEqual([0, 0]);
  });

  it('writes before the turn ends what would take much memory, and never writes over what it gave away', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 12 }), (sizes) => {
        const { socket, writes } = heldSocket(false, Number.MAX_SAFE_INTEGER);
        const writer = new TurnWriter(socket, empty());
        for (const [index, size] of sizes.entries()) {
          writer.add(Buffer.alloc(size, index));
          writer.schedule();
          expect(writer.waiting).toBeLessThan(256 * 1024);
        }
        writer.flush();
        const all = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index)));
        expect(Buffer.concat(writes).equals(all)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
