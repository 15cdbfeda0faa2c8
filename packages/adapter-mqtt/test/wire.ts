import { generate, type IConnackPacket, type Packet } from 'mqtt-packet';

export type ConnackProperties = NonNullable<IConnackPacket['properties']>;

const bytes = (packet: Packet, version: 5 | 3): Buffer => generate(packet, { protocolVersion: version === 5 ? 5 : 4 });

/** A CONNACK that accepts the login, with a session kept from before. */
export const connack = (version: 5 | 3, properties?: ConnackProperties): Buffer =>
  bytes(
    { cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: true, ...(properties && { properties }) },
    version,
  );

/** A SUBACK that grants QoS 1 for one filter. */
export const suback = (version: 5 | 3, messageId: number): Buffer =>
  bytes({ cmd: 'suback', messageId, granted: [1] }, version);

/** A PUBLISH of the body `x`. */
export const publish = (version: 5 | 3, topic: string, messageId: number, qos: 0 | 1 | 2 = 1): Buffer =>
  bytes({ cmd: 'publish', topic, payload: 'x', qos, retain: false, dup: false, messageId }, version);
