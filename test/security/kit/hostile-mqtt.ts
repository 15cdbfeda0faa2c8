import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import { onTestFinished } from 'vitest';

/** One link to a scripted broker. */
export interface HostileLink {
  readonly socket: Socket;
  readonly connect: IConnectPacket;
  send(packet: Packet): void;
}

/** What a hostile broker does; all of it may throw nothing. */
export interface HostileBroker {
  /** Called with the CONNECT of each link. By default the login is accepted. */
  readonly login?: (link: HostileLink) => void;
  /** Called with every packet after it. */
  readonly answer?: (packet: Packet, link: HostileLink) => void;
}

/** Opens a hostile broker for MQTT 5 on loopback; it goes with the test. Resolves to its URL and its links. */
export async function hostileMqtt({ login = accept, answer = () => undefined }: HostileBroker) {
  const links: HostileLink[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const reader = parser({ protocolVersion: 5 });
    let link: HostileLink | undefined;
    reader.on('packet', (packet) => {
      if (packet.cmd !== 'connect') return void (link && answer(packet, link));
      link = { socket, connect: packet, send: (sent) => void socket.write(generate(sent, { protocolVersion: 5 })) };
      links.push(link);
      return login(link);
    });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => void reader.parse(chunk));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { url: `mqtt://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, links };
}

/** Accepts a login with a new session. */
export const accept = ({ send }: HostileLink): void => send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });

/** Grants what is subscribed. */
export function grant(packet: Packet, { send }: HostileLink): void {
  if (packet.cmd === 'subscribe')
    send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(({ qos }) => qos) });
  if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
}

/** A message as a broker sends it. */
export const publish = (topic: string, payload: string, messageId = 1): Packet => ({
  ...{ cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain: false },
});
