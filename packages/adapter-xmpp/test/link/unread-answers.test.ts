import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { MagpieError } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { XmlStream } from '../../src/link/stream.ts';

class BareStream extends XmlStream {
  readonly failures: MagpieError[];

  constructor(socket: Socket) {
    const failures: MagpieError[] = [];
    const failed = (error: MagpieError): void => void failures.push(error);
    super(
      NS.client,
      'localhost',
      { stanzaBytes: 1024, depth: 8 },
      { stanza: () => undefined, readDone: () => undefined, failed },
    );
    this.failures = failures;
    this.attach(socket);
  }

  protected override take(): void {}
  protected override over(): void {}
}

/** A stream to a server that reads, or does not. */
async function streamTo(reads: boolean): Promise<BareStream> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    if (reads) socket.resume();
    else socket.pause();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  onTestFinished(() => {
    for (const each of [...sockets, socket]) each.destroy();
    server.close();
  });
  return new BareStream(socket);
}

const ANSWER = xml('a', { xmlns: NS.streamManagement, h: '1' });

describe('answers', () => {
  it('that nobody reads end the stream at 1 MiB', async () => {
    const stream = await streamTo(false);
    const asked = async (): Promise<boolean> => {
      for (let count = 0; count < 5_000; count++) stream.answer(ANSWER);
      return stream.failures.length > 0;
    };
    await waitFor(asked, { what: 'the end of the stream' });
    expect(stream.failures.map(({ message }) => message)).toEqual([
      'the server sends requests but does not read the answers: more than 1048576 bytes wait',
    ]);
  });

  it('that are read may be as many as there are questions', async () => {
    const stream = await streamTo(true);
    for (let turn = 0; turn < 100; turn++) {
      for (let count = 0; count < 1_000; count++) stream.answer(ANSWER);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(stream.failures).toEqual([]);
  });
});
