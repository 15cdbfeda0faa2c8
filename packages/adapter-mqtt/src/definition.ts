import { defineAdapter, type Guarantee } from '@magpie/contract';
import { topicAddress } from './codec/address.ts';
import { MAPPING } from './codec/mapping.ts';
import {
  connectionSchema,
  type MqttConnection,
  type MqttSource,
  type MqttTarget,
  maxBodyBytes,
  originSchema,
  sourceSchema,
  targetSchema,
} from './config.ts';
import { createMqttConnection } from './connection.ts';

/** MQTT 5 and 3.1.1. */
export const mqttAdapter = defineAdapter({
  type: 'mqtt',
  connectionSchema,
  sourceSchema,
  targetSchema,
  originSchema,
  addresses: [topicAddress],
  kinds: ['message', 'status'],
  capabilities: ({ version, maxInflight, maxPacketBytes }: MqttConnection) => ({
    receives: true,
    sends: true,
    fifoWindow: maxInflight,
    sendsWhileHeld: true,
    metadata: version === 5,
    maxBodyBytes: maxBodyBytes(maxPacketBytes),
  }),
  guarantees: {
    source: ({ session, version, maxPacketBytes }: MqttConnection, { topic, qos }: MqttSource) => {
      const dropped =
        version === 5 ? `; the broker drops messages larger than maxPacketBytes (${maxPacketBytes} bytes)` : '';
      if (qos === 0) return atMostOnce(`"${topic}" is received at QoS 0`);
      if (session.expiry > 0)
        return atLeastOnce(`"${topic}" is received at QoS 1 and acknowledged once it is stored${dropped}`);
      return atMostOnce(`session.expiry is 0: messages published to "${topic}" while the link is down are lost`);
    },
    target: ({ version }: MqttConnection, { topic, qos }: MqttTarget) => {
      if (qos === 0) return atMostOnce(`"${topic}" is published at QoS 0`);
      const confirmed = `"${topic}" is published at QoS ${qos} and counts as delivered when the broker confirms it`;
      if (version === 5) return atLeastOnce(confirmed);
      return atLeastOnce(
        `${confirmed}; an MQTT 3.1.1 broker also confirms messages that it drops (not permitted, too large)`,
      );
    },
  },
  guide: { title: 'MQTT', columns: { mqtt5: 'MQTT 5', mqtt311: 'MQTT 3.1.1' }, mapping: MAPPING },
  create: createMqttConnection,
});

const atLeastOnce = (reason: string): Guarantee => ({ level: 'at-least-once', reason });
const atMostOnce = (reason: string): Guarantee => ({ level: 'at-most-once', reason });
