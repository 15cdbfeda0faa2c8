import { connect } from 'node:net';

/** What to send after connecting, and when the bytes received so far are a whole greeting. */
export interface Greeting {
  readonly send: Uint8Array | string;
  readonly complete: (received: Buffer) => boolean;
}

/** MQTT 3.1.1 section 3.1: CONNECT without a user; any CONNACK (section 3.2), even a refusal, proves the listener serves. */
export const mqttGreeting: Greeting = {
  send: Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 5, 0, 1, 0x70]),
  complete: (received) => received.length >= 4 && received[0] === 0x20,
};

/** AMQP 0-9-1 section 4.2.2: the protocol header is answered by Connection.Start (class 10, method 10). */
export const amqpGreeting: Greeting = {
  send: Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]),
  complete: (received) => received.length >= 11 && received[0] === 1 && received.readUInt32BE(7) === 0x000a000a,
};

/** RFC 6120 section 4.3: an opened stream is answered by stream features. */
export const xmppGreeting: Greeting = {
  send: "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
  complete: (received) => received.includes('<stream:features'),
};

/** XEP-0114 section 3: an opened stream is answered by a stream header, for a domain that is not served with an error in it. */
export const componentGreeting: Greeting = {
  send: "<stream:stream to='localhost' xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>",
  complete: (received) => received.includes('<stream:stream'),
};

/** RFC 9112 section 3: any answer, also a refusal, proves the listener serves. */
export const httpGreeting: Greeting = {
  send: 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  complete: (received) => received.includes('HTTP/1.'),
};

/**
 * Connects to 127.0.0.1:`port` once and exchanges the greeting.
 * @param timeout milliseconds for the whole exchange.
 * @returns whether the server gave the expected answer; never throws.
 */
export function greets(port: number, greeting: Greeting, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = Buffer.alloc(0);
    const finish = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeout, () => finish(false));
    socket.once('connect', () => socket.write(greeting.send));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (greeting.complete(received)) finish(true);
    });
    // 'close' follows 'error'; both mean not ready yet.
    socket.once('error', () => undefined);
    socket.once('close', () => finish(false));
  });
}
