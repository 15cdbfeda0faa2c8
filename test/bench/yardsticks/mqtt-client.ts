import mqtt, { type MqttClient } from 'mqtt';

/** A client as everybody makes one, but without Nagle's algorithm, which holds small packets back for up to 40 ms. */
export async function connect(url: string): Promise<MqttClient> {
  const client = mqtt.connect(url, { clean: true, reconnectPeriod: 0 });
  await new Promise((resolve) => client.once('connect', resolve));
  Reflect.get(client.stream, 'setNoDelay')?.call(client.stream, true);
  return client;
}

/**
 * Subscribes with QoS 1 and acknowledges each message when `take` calls its second argument, while the next ones are read. The
 * library itself reads nothing until then.
 */
export async function receive(
  client: MqttClient,
  filter: string,
  take: (payload: Buffer, acknowledge: () => void) => void,
): Promise<void> {
  client.handleMessage = ({ payload, messageId }, done) => {
    take(Buffer.from(payload), () => Reflect.get(client, '_sendPacket').call(client, { cmd: 'puback', messageId }));
    // An error is the only answer that lets the client read on without a PUBACK.
    done(new Error('acknowledged later'));
  };
  await client.subscribeAsync(filter, { qos: 1 });
}
