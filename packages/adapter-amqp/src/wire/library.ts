import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Duplex } from 'node:stream';
import type { Channel, ChannelModel } from 'amqplib';

/**
 * What of amqplib's connection is used besides its interface, to read and write messages without it. These are not part of
 * its types, so the version is pinned and every link is checked.
 */
export interface LibraryConnection {
  /** The socket. Nobody else reads from it. */
  readonly stream: Duplex;
  /** Agreed upon with the broker. */
  readonly frameMax: number;
  /** What has been received and not been read. */
  rest: Buffer;
  /** For its heartbeat: something has come. */
  recvSinceLastCheck: boolean;
  /** Whether the broker has said that it takes no publishes; the library hears it before anybody listens. */
  readonly blocked?: boolean;
  /** The next frame, or false when it has not arrived. Called until then whenever something has. */
  recvFrame(): unknown;
}

/** The connection below a model. Throws when this is not the amqplib we know. */
export function libraryConnection(model: ChannelModel): LibraryConnection {
  const connection: unknown = model.connection;
  if (!isLibraryConnection(connection)) throw new Error('this version of amqplib is not known: install the pinned one');
  return connection;
}

const isLibraryConnection = (value: unknown): value is LibraryConnection =>
  typeof value === 'object' &&
  value !== null &&
  'stream' in value &&
  value.stream instanceof Duplex &&
  'frameMax' in value &&
  typeof value.frameMax === 'number' &&
  'rest' in value &&
  Buffer.isBuffer(value.rest) &&
  'recvSinceLastCheck' in value &&
  'recvFrame' in value &&
  typeof value.recvFrame === 'function';

/** The number of a channel on its connection. */
export function channelNumber(channel: Channel): number {
  const number: unknown = Reflect.get(channel, 'ch');
  if (typeof number !== 'number') throw new Error('this version of amqplib is not known: install the pinned one');
  return number;
}

/** The part of amqplib's class of connections that is changed. */
interface ConnectionClass {
  readonly prototype: { acceptLoop(): void };
}

/**
 * Lets amqplib begin to take in frames a turn after the login. It would take in what stands in the same packet as the end of
 * the login before `connect` has resolved, when nobody listens yet: an error would end the process, and a broker that blocks
 * publishers would be missed. Called once, before the first connection. Throws when this is not the amqplib we know.
 */
export function acceptAfterLogin(): void {
  const require = createRequire(import.meta.url);
  const library: unknown = require(join(dirname(require.resolve('amqplib')), 'lib/connection.js'));
  if (!hasConnectionClass(library)) throw new Error('this version of amqplib is not known: install the pinned one');
  const { prototype } = library.Connection;
  const { acceptLoop } = prototype;
  prototype.acceptLoop = function (this: object) {
    setImmediate(() => acceptLoop.call(this));
  };
}

const hasConnectionClass = (value: unknown): value is { readonly Connection: ConnectionClass } =>
  typeof value === 'object' &&
  value !== null &&
  'Connection' in value &&
  typeof value.Connection === 'function' &&
  typeof Reflect.get(value.Connection.prototype, 'acceptLoop') === 'function';
