import type { Peer } from '@magpie/testkit';
import { amqplib } from './amqplib-codec.ts';

const { encodeMethod } = amqplib;
/** How a method frame begins. */
export const method = (id: number): Buffer => Buffer.of(id >>> 24, id >>> 16, id >>> 8, id);

/** Logs a client in; `more` goes into the packet of the last word. */
export async function greet(peer: Peer, more: Buffer = Buffer.alloc(0)): Promise<void> {
  await peer.expect(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
  const [mechanisms, locales] = [Buffer.from('PLAIN'), Buffer.from('en_US')];
  const start = { versionMajor: 0, versionMinor: 9, serverProperties: {}, mechanisms, locales };
  peer.send(encodeMethod(amqplib.ConnectionStart, 0, start));
  await peer.expect('PLAIN');
  peer.send(encodeMethod(amqplib.ConnectionTune, 0, { channelMax: 10, frameMax: 131_072, heartbeat: 0 }));
  await peer.expect(method(amqplib.ConnectionOpen));
  peer.send(Buffer.concat([encodeMethod(amqplib.ConnectionOpenOk, 0, {}), more]));
}

/** Waits for a request and answers it. */
export async function answer(peer: Peer, asked: number, reply: number, channel = 1): Promise<void> {
  await peer.expect(method(asked));
  peer.send(encodeMethod(reply, channel, { consumerTag: 'tag' }));
}

/** Opens the channel of a link; the first request on it says what for. */
export async function openChannel(peer: Peer): Promise<'consume' | 'publish'> {
  await answer(peer, amqplib.ChannelOpen, amqplib.ChannelOpenOk);
  const asked = (await peer.expect(/\x00\x55\x00\x0a|\x00\x3c\x00\x0a/)).subarray(-4);
  if (asked[1] === 0x55) {
    peer.send(encodeMethod(amqplib.ConfirmSelectOk, 1, {}));
    return 'publish';
  }
  peer.send(encodeMethod(amqplib.BasicQosOk, 1, {}));
  await answer(peer, amqplib.BasicConsume, amqplib.BasicConsumeOk);
  return 'consume';
}
