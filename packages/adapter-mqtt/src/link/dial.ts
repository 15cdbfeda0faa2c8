import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { loadTls, onAbort } from '@magpie/adapter-kit';
import { Aborted, type MagpieError } from '@magpie/contract';
import type { MqttConnection } from '../config.ts';
import { socketError } from '../errors.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/** Host and port of a connection. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Host and port as text, for messages. */
  readonly text: string;
}

/** The endpoint of a checked URL. */
export function endpointOf(url: string): Endpoint {
  const { protocol, hostname, port } = new URL(url);
  const number = port === '' ? (DEFAULT_PORTS[protocol] ?? 1883) : Number(port);
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: number, secure: protocol === 'mqtts:', text: `${hostname}:${number}` };
}

/**
 * Opens the TCP or TLS link; with TLS it resolves after the broker's certificate is verified, so that no password is
 * sent before.
 * @throws NotConnected when the broker cannot be reached or is not trusted, ConfigInvalid as `loadTls`, Aborted.
 */
export async function openSocket(config: MqttConnection, endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  const { host, port, secure } = endpoint;
  if (!secure) return established(connectTcp({ host, port, noDelay: true }), 'connect', endpoint, signal);
  const options = await loadTls(config.tls, host);
  const socket = connectTls({ host, port, ...options });
  // Small packets must not wait for each other's TCP acknowledgement.
  socket.setNoDelay(true);
  return established(socket, 'secureConnect', endpoint, signal);
}

function established(socket: Socket, event: string, endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const give = (error: MagpieError): void => {
    reject(error);
    socket.destroy();
  };
  const fail = (error: Error): void => give(socketError(endpoint.text, error));
  const closed = (): void => fail(new Error('the broker closed the link before it was established'));
  socket.once(event, () => resolve(socket));
  socket.once('error', fail);
  socket.once('close', closed);
  const stop = onAbort(signal, () => give(new Aborted(`connecting to ${endpoint.text} was cancelled`)));
  return promise.finally(() => {
    stop();
    socket.off('close', closed);
    // After a failure, a late error still needs a listener.
    if (!socket.destroyed) socket.off('error', fail);
  });
}
