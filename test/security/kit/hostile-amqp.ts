import type { Peer } from '@magpie/testkit';
import { amqplib } from '../../../packages/adapter-amqp/test/support/amqplib-codec.ts';

const method = (id: number): Buffer => Buffer.of(id >>> 24, id >>> 16, id >>> 8, id);

/** Logs a client in. `behind`: bytes in the same write as open-ok. */
export async function greet(peer: Peer, behind: Buffer = Buffer.alloc(0)): Promise<void> {
  await peer.expect(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
  const [mechanisms, locales] = [Buffer.from('PLAIN'), Buffer.from('en_US')];
  const start = { versionMajor: 0, versionMinor: 9, serverProperties: {}, mechanisms, locales };
  peer.send(amqplib.encodeMethod(amqplib.ConnectionStart, 0, start));
  await peer.expect('PLAIN');
  peer.send(amqplib.encodeMethod(amqplib.ConnectionTune, 0, { channelMax: 10, frameMax: 131_072, heartbeat: 0 }));
  await peer.expect(method(amqplib.ConnectionOpen));
  peer.send(Buffer.concat([amqplib.encodeMethod(amqplib.ConnectionOpenOk, 0, {}), behind]));
}

/** Opens the channel of a link; the first request on it says what for. */
export async function openChannel(peer: Peer): Promise<'consume' | 'publish'> {
  await peer.expect(method(amqplib.ChannelOpen));
  peer.send(amqplib.encodeMethod(amqplib.ChannelOpenOk, 1, {}));
  const asked = (await peer.expect(/\x00\x55\x00\x0a|\x00\x3c\x00\x0a/)).subarray(-4);
  if (asked[1] === 0x55) {
    peer.send(amqplib.encodeMethod(amqplib.ConfirmSelectOk, 1, {}));
    return 'publish';
  }
  peer.send(amqplib.encodeMethod(amqplib.BasicQosOk, 1, {}));
  await peer.expect(method(amqplib.BasicConsume));
  peer.send(amqplib.encodeMethod(amqplib.BasicConsumeOk, 1, { consumerTag: 'tag' }));
  return 'consume';
}

/** The beginning of a delivery whose body is said to be so many bytes. */
export function deliveryHead(bytes: bigint): Buffer {
  const fields = { consumerTag: 'tag', deliveryTag: 1, redelivered: false, exchange: '', routingKey: 'inbox' };
  const header = amqplib.encodeProperties(amqplib.BasicProperties, 1, 0, {});
  header.writeBigUInt64BE(bytes, 11); // type, channel, size, class, weight
  return Buffer.concat([amqplib.encodeMethod(amqplib.BasicDeliver, 1, fields), header]);
}

/** A piece of a body. */
export const bodyFrame = (bytes: Buffer): Buffer => amqplib.makeBodyFrame(1, bytes);
