import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { getting, rawSocket } from '../kit/http.ts';
import { amount } from '../kit/settings.ts';
import { openApp } from '../kit/stream.ts';
import { startVictim } from '../kit/victim.ts';

const UPGRADE = getting(
  '/v1/stream',
  'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: magpie.v1.json\r\n',
);

/** A frame of a client (RFC 6455, 5.2) of at most 125 bytes, masked by zeros. */
function frame(first: number, payload: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.of(first, 0x80 | bytes.length, 0, 0, 0, 0), bytes]);
}

const [TEXT, GOES_ON, LAST, PING, COMPRESSED] = [0x01, 0x00, 0x80, 0x89, 0xc1];

describe('frames of an app', () => {
  it.each([
    ['pings whose answers nobody reads', frame(PING, 'x'.repeat(125)), amount(50_000, 3_000_000)],
    ['a message in fragments of one byte without end', frame(GOES_ON, 'x'), amount(60_000, 60_000)],
    ['a message in fragments without a byte', frame(GOES_ON), amount(250_000, 5_000_000)],
    ['questions that nobody reads the answers of', frame(TEXT | LAST, '{"type":"ping"}'), amount(50_000, 2_000_000)],
    ['frames that are no JSON', frame(TEXT | LAST, '{{{{'), amount(50_000, 2_000_000)],
  ])('%s fill no memory', async (_, piece, count) => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      const sockets = await Promise.all(Array.from({ length: 4 }, () => rawSocket(victim.url, UPGRADE)));
      await sleep(300);
      const block = Buffer.concat(Array.from({ length: 1000 }, () => piece));
      for (const socket of sockets) socket.pause().write(frame(TEXT, '{'));
      for (let sent = 0; sent < count; sent += 1000) {
        for (const socket of sockets) if (socket.writable && socket.writableLength < 5_000_000) socket.write(block);
        await sleep(2);
      }
      await sleep(500);
      for (const socket of sockets) socket.destroy();
      return count * sockets.length;
    });
    expectUnharmed(outcome, { growth: 150 });
  });

  it('that break the protocol end their own socket, and no other', async () => {
    const victim = await startVictim();
    const bystander = await openApp(victim.url);
    bystander.subscribe('all');
    const broken = {
      'a compressed frame that nobody agreed on': frame(COMPRESSED, 'x'),
      'a frame without a mask': Buffer.of(0x81, 1, 0x7b),
      'a length of 2^63': Buffer.concat([Buffer.of(0x81, 0xff), Buffer.alloc(8, 0xff), Buffer.alloc(4)]),
      'a reserved opcode': frame(0x83, 'x'),
      'a ping in fragments': frame(0x09, 'x'),
      'a continuation of nothing': frame(GOES_ON | LAST, 'x'),
      'text that is no UTF-8': frame(TEXT | LAST, Buffer.of(0xff, 0xfe, 0xfd)),
      'a close with a code that is none': frame(0x88, Buffer.of(0, 1)),
      'HTTP where a frame should be': Buffer.from('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    };
    const outcome = await underAttack(victim, async () => {
      for (const [what, bytes] of Object.entries(broken)) {
        const socket = await rawSocket(victim.url, UPGRADE);
        const ended = new Promise((resolve) => socket.on('end', resolve).on('close', resolve));
        await sleep(50);
        socket.resume().write(bytes);
        expect(await Promise.race([ended.then(() => 'ended'), sleep(5000, 'open')]), what).toBe('ended');
        socket.destroy();
      }
      return Object.keys(broken).length;
    });
    expectUnharmed(outcome, { growth: 100 });
    expect(bystander.socket.readyState).toBe(bystander.socket.OPEN);
  });

  it('that nest as deep as they can are answered with an error', async () => {
    const victim = await startVictim();
    const app = await openApp(victim.url);
    const outcome = await underAttack(victim, async () => {
      const deep = '['.repeat(30_000);
      const frames = [
        deep,
        `${deep}${']'.repeat(30_000)}`,
        `{"type":"subscribe","id":"x","kinds":${deep}${']'.repeat(30_000)}}`,
        `{"type":${'{"type":'.repeat(7000)}1${'}'.repeat(7000)}}`,
        '{"__proto__":{"type":"subscribe"},"id":"x"}',
        '{"type":"__proto__","id":"x"}',
        '{"type":"constructor","id":"x"}',
        '{"type":"subscribe","id":"__proto__","credit":1e999}',
        '{"type":"subscribe","id":"a","after":"999999999999999999999:0:-1"}',
        '{"type":"subscribe","id":"a","address":"topic:\\ud800","credit":0}',
        '{"type":"credit","id":"constructor","credit":1}',
      ];
      for (const each of frames) app.socket.send(each);
      await sleep(500);
      expect(app.errors.length).toBeGreaterThanOrEqual(frames.length - 1);
      return frames.length;
    });
    expectUnharmed(outcome, { growth: 100 });
    expect(app.socket.readyState).toBe(app.socket.OPEN);
  });
});
