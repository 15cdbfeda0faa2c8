import { type AdapterContext, encodeBody } from '@magpie/contract';
import type { MqttConnection } from '../config.ts';
import type { ConnectRequest, Will } from '../wire/requests.ts';

/** `Session Expiry Interval` that means never. */
const MAX_SECONDS = 0xffff_ffff;

/** What a connection logs in with. Without a configured client id it is one that stays the same over restarts. */
export function connectRequest(config: MqttConnection, { gatewayId, name }: AdapterContext): ConnectRequest {
  const { version, username, password, will, session, receiveMaximum, maxPacketBytes } = config;
  return {
    version,
    clientId: config.clientId ?? `magpie-${gatewayId}-${name}`,
    clean: session.expiry === 0,
    keepalive: Math.ceil(config.keepalive / 1000),
    ...(username !== undefined && { username }),
    ...(password && { password: password.reveal() }),
    ...(will && { will: willOf(will) }),
    sessionExpiryInterval: Math.min(MAX_SECONDS, Math.ceil(session.expiry / 1000)),
    receiveMaximum,
    maximumPacketSize: maxPacketBytes,
  };
}

function willOf(will: NonNullable<MqttConnection['will']>): Will {
  const { topic, qos, retain, payload, text, base64 } = will;
  const body = encodeBody({ payload, ...(text !== undefined && { text }), ...(base64 !== undefined && { base64 }) });
  return { topic, qos, retain, payload: Buffer.from(body?.body ?? []) };
}
