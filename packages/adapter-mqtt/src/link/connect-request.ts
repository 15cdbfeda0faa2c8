import { type AdapterContext, encodeBody } from '@magpie/contract';
import type { MqttConnection } from '../config.ts';
import type { ConnectRequest, Will } from '../wire/requests.ts';

/** `Session Expiry Interval` that means never. */
const MAX_SECONDS = 0xffff_ffff;

/** The client id of a connection. The default stays the same over restarts. */
export const clientIdOf = ({ clientId }: MqttConnection, { gatewayId, name }: AdapterContext): string =>
  clientId ?? `magpie-${gatewayId}-${name}`;

/** The CONNECT of a connection. */
export function connectRequest(config: MqttConnection, context: AdapterContext): ConnectRequest {
  const { version, username, password, will, session, receiveMaximum, maxPacketBytes } = config;
  return {
    version,
    clientId: clientIdOf(config, context),
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
