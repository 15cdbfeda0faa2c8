import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../settings.ts';

const HELD_MS = 2000;

/** Connects to a listener, sends `bytes` and resolves when the other side closes, or after 2 s. Whatever it answers is read and thrown away. */
export function shout(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes));
    socket.setTimeout(HELD_MS, () => socket.destroy());
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => resolve());
    socket.resume();
  });
}

const CONTINUE_MS = 20;

/** Things that a listener for HTTP and WebSocket must survive: chance alone, and chance after a beginning that it knows. */
export function httpNoise(random: Random): readonly Uint8Array[] {
  const beginnings = [
    '',
    'GET /v1/connections HTTP/1.1\r\nHost: x\r\n',
    'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 512\r\n\r\n',
    'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    [
      ...['GET /v1/stream HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='],
      ...['Sec-WebSocket-Protocol: magpie.v1.json', '', ''],
    ].join('\r\n'),
  ];
  return beginnings.map((text) => Buffer.concat([Buffer.from(text), random.bytes(random.between(1, 2048))]));
}

/** Sends all of it to a listener, one after the other without waiting for each to be judged. */
export async function shoutAll(port: number, all: readonly Uint8Array[]): Promise<void> {
  const shouts: Promise<void>[] = [];
  for (const bytes of all) {
    shouts.push(shout(port, bytes));
    await sleep(CONTINUE_MS);
  }
  await Promise.all(shouts);
}
