import type { Socket } from 'node:net';
import type { MqttClient } from 'mqtt';
import type { Life } from './life.ts';

/**
 * Ends the QoS 2 publishes that a former link left half done, by PUBREL for each packet id. Otherwise the broker would
 * take the next publish with such an id for a repeat and drop it [MQTT-4.3.3-10]. The messages themselves are sent again
 * by the caller, under new ids. Resolves when the broker has answered all; empties the set.
 */
export async function releaseUnfinished(
  client: MqttClient,
  socket: Socket,
  life: Life,
  ids: Set<number>,
): Promise<void> {
  if (ids.size === 0) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  life.onEnd(({ error }) => reject(error));
  client.on('packetreceive', ({ cmd, messageId }) => {
    if (cmd === 'pubcomp' && messageId !== undefined && ids.delete(messageId) && ids.size === 0) resolve();
  });
  for (const id of ids) socket.write(Buffer.from([0x62, 2, id >> 8, id & 0xff]));
  return promise;
}
