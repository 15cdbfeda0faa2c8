import { createSocket, type Socket } from 'node:dgram';
import dns from 'node:dns/promises';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A record of RFC 2782. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** A name server on loopback that this process asks until the test is over; it knows these SRV records and nothing else. */
export async function resolver(records: Readonly<Record<string, readonly SrvRecord[]>>): Promise<readonly string[]> {
  const asked: string[] = [];
  const socket: Socket = createSocket('udp4', (question, { port, address }) => {
    const name = nameIn(question);
    asked.push(name);
    socket.send(answer(question, records[name] ?? []), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const before = dns.getServers();
  dns.setServers([`127.0.0.1:${socket.address().port}`]);
  onTestFinished(() => {
    dns.setServers(before);
    socket.close();
  });
  return asked;
}

/** Where the questions begin (RFC 1035 §4.1.1). */
const HEADER = 12;

function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = HEADER; question[at]; at += 1 + question[at]!)
    labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!));
  return labels.join('.').toLowerCase();
}

function answer(question: Buffer, records: readonly SrvRecord[]): Buffer {
  const end = question.indexOf(0, HEADER) + 5;
  const header = Buffer.from(question.subarray(0, HEADER));
  header.writeUInt16BE(records.length > 0 ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, question.subarray(HEADER, end), ...records.map(encoded)]);
}

function encoded({ priority, weight, port, target }: SrvRecord): Buffer {
  const labels = target.split('.').filter((label) => label !== '');
  const name = Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.of(0),
  ]);
  const fixed = Buffer.alloc(18);
  fixed.writeUInt16BE(0xc00c, 0); // the name that was asked for
  fixed.writeUInt16BE(33, 2); // SRV
  fixed.writeUInt16BE(1, 4); // IN
  fixed.writeUInt32BE(60, 6); // seconds to keep it
  fixed.writeUInt16BE(6 + name.length, 10);
  fixed.writeUInt16BE(priority, 12);
  fixed.writeUInt16BE(weight, 14);
  fixed.writeUInt16BE(port, 16);
  return Buffer.concat([fixed, name]);
}
