import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type Packet, parser } from 'mqtt-packet';
import { onTestFinished } from 'vitest';
import { bytes, type ConnackProperties, connack } from './wire.ts';

/** One link of a scripted broker, as the broker sees it. */
export interface RawLink {
  readonly socket: Socket;
  /** Every packet after CONNECT. */
  readonly packets: readonly Packet[];
  /** Those packets, by the chunks of bytes they came in. */
  readonly chunks: readonly (readonly Packet[])[];
  send(packet: Packet): void;
}

/** A broker for MQTT 5 clients of one test, whose links accept the login. `answer` sees every packet after CONNECT. */
export async function rawBroker(answer: (packet: Packet, link: RawLink) => void, properties?: ConnackProperties) {
  const links: RawLink[] = [];
  const server = createServer((socket) => {
    const packets: Packet[] = [];
    const chunks: Packet[][] = [];
    const link: RawLink = { socket, packets, chunks, send: (packet) => void socket.write(bytes(packet, 5)) };
    const reader = parser({ protocolVersion: 5 });
    reader.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        links.push(link);
        socket.write(connack(5, properties));
        return;
      }
      packets.push(packet);
      chunks.at(-1)?.push(packet);
      answer(packet, link);
    });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      chunks.push([]);
      reader.parse(chunk);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const { socket } of links) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `mqtt://127.0.0.1:${port}`, links };
}
