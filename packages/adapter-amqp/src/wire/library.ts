import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Duplex } from 'node:stream';
import type { Channel, ChannelModel } from 'amqplib';

/**
 * Internals of amqplib's connection that are used to read and write messages directly. They are not part of its types,
 * so the version is pinned and every link is checked.
 */
export interface LibraryConnection {
  /** The socket. Nobody else reads from it. */
  readonly stream: Duplex;
  /** Agreed upon with the broker. */
  readonly frameMax: number;
  /** Received bytes not yet read. */
  rest: Buffer;
  /** For the heartbeat: whether bytes were received. */
  recvSinceLastCheck: boolean;
  /** Whether the broker accepts no publishes; the library may learn this before a listener is added. */
  readonly blocked?: boolean;
  /** The next frame, or false when it is incomplete. Called again whenever bytes arrive. */
  recvFrame(): unknown;
}

/** The connection below a model. Throws when this is not the amqplib we know. */
export function libraryConnection(model: ChannelModel): LibraryConnection {
  const connection: unknown = model.connection;
  if (!isLibraryConnection(connection))
    throw new Error('unknown version of amqplib: install the version pinned in package.json');
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
  if (typeof number !== 'number')
    throw new Error('unknown version of amqplib: install the version pinned in package.json');
  return number;
}

/** The part of amqplib's class of connections that is changed. */
interface ConnectionClass {
  readonly prototype: { acceptLoop(): void };
}

/**
 * Makes amqplib accept frames one turn after the login. Otherwise it would handle frames in the same packet as the end
 * of the login before `connect` resolves and listeners exist: an error would end the process, and a blocking broker
 * would be missed. Called once, before the first connection. Throws when this is not the amqplib we know.
 */
export function acceptAfterLogin(): void {
  const require = createRequire(import.meta.url);
  const library: unknown = require(join(dirname(require.resolve('amqplib')), 'lib/connection.js'));
  if (!hasConnectionClass(library))
    throw new Error('unknown version of amqplib: install the version pinned in package.json');
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
