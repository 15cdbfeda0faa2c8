import { type AdapterContext, encodeBody } from '@magpie/contract';
import type { IClientOptions } from 'mqtt';
import type { MqttConnection } from './config.ts';

/** `Session Expiry Interval` that means never. */
const MAX_SECONDS = 0xffff_ffff;

/** The client id of a connection: the configured one, or one that stays the same over restarts. */
export const clientIdOf = ({ clientId }: MqttConnection, { gatewayId, name }: AdapterContext): string =>
  clientId ?? `magpie-${gatewayId}-${name}`;

/** Options of the library for one link: it never reconnects, queues or resubscribes by itself. */
export function clientOptions(config: MqttConnection, clientId: string): IClientOptions {
  const { version, username, password, will } = config;
  return {
    protocolId: 'MQTT',
    protocolVersion: version === 5 ? 5 : 4,
    clientId,
    clean: config.session.expiry === 0,
    keepalive: Math.ceil(config.keepalive / 1000),
    connectTimeout: config.connectTimeout,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(username !== undefined && { username }),
    ...(password && { password: password.reveal() }),
    ...(will && { will: willOf(will) }),
    ...(version === 5 && { properties: connectProperties(config) }),
  };
}

function willOf(will: NonNullable<MqttConnection['will']>) {
  const { topic, qos, retain, payload, text, base64 } = will;
  const body = encodeBody({ payload, ...(text !== undefined && { text }), ...(base64 !== undefined && { base64 }) });
  return { topic, qos, retain, payload: Buffer.from(body?.body ?? []) };
}

const connectProperties = ({ session, receiveMaximum, maxPacketBytes }: MqttConnection) => ({
  sessionExpiryInterval: Math.min(MAX_SECONDS, Math.ceil(session.expiry / 1000)),
  receiveMaximum,
  maximumPacketSize: maxPacketBytes,
});
