import type { Socket } from 'node:net';
import { Aborted, type Clock, type MagpieError, NotConnected } from '@magpie/contract';
import { type IClientOptions, type IConnackPacket, type IPublishPacket, MqttClient, type Packet } from 'mqtt';
import type { InboundPacket } from './decode.ts';
import { reasonError, socketError } from './errors.ts';
import { createLife, type Life } from './life.ts';
import { createPublish, type Publish, reasonString } from './outstanding.ts';
import { packetGuard } from './packet-guard.ts';
import { createPing, type Ping } from './ping.ts';
import { type Refusals, type SubscribeOptions, subscribe, unsubscribe } from './subscribe.ts';
import { releaseUnfinished } from './unfinished.ts';

/** What the broker said about itself and the session in its CONNACK. */
export interface Broker {
  readonly sessionPresent: boolean;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly maximumQoS: number;
  readonly retainAvailable: boolean;
  readonly subscriptionIdentifiers: boolean;
}

/** An acknowledgement to send: PUBACK for QoS 1, PUBREC for QoS 2. */
export interface Acknowledgement {
  readonly type: 'puback' | 'pubrec';
  readonly id: number;
}

/** One established MQTT link. Each connect makes a new one, so that nothing of an old link can reach it. */
export interface Link {
  readonly broker: Broker;
  readonly open: boolean;
  /** Acknowledges in the given order; does nothing once the link is closed. */
  acknowledge(list: readonly Acknowledgement[]): void;
  readonly publish: Publish;
  /** Resolves with what the broker refused. @throws NotConnected when it does not answer. */
  subscribe(filters: readonly string[], options: SubscribeOptions): Promise<Refusals>;
  /** @throws NotConnected when the broker does not answer. */
  unsubscribe(filters: readonly string[]): Promise<void>;
  readonly ping: Ping;
  /** DISCONNECT (the will is not sent), then waits for the end; a fired signal cuts. Never rejects. */
  goodbye(signal: AbortSignal): Promise<void>;
  /** Ends the link at once, without a goodbye. */
  cut(error: MagpieError): void;
  /** Calls once with the reason when the link ends, by whatever; at once when it has ended already. */
  onEnd(listener: (error: MagpieError) => void): void;
}

/** Called with every received PUBLISH, in order, already while logging in; `reply` acknowledges it. Must not throw. */
export type MessageHook = (packet: InboundPacket, reply: Acknowledgement | undefined) => void;

/** What one link is opened with. */
export interface LinkOptions {
  readonly client: IClientOptions;
  /** Host and port, for messages. */
  readonly where: string;
  /** Largest incoming packet, in bytes. */
  readonly maxPacketBytes: number;
  /** Ends the link when no byte has come for so long, ms. */
  readonly silence: number;
  readonly clock: Clock;
  /** Packet ids of QoS 2 publishes that earlier links left half done; kept up to date. */
  readonly unfinished: Set<number>;
}

const DISCONNECT = Buffer.from([0xe0, 0]);
const GOODBYE_MS = 2000;

/**
 * Logs in over an open socket and owns it from then on. The library speaks the protocol; acknowledging and whatever
 * must outlive or die with the link is done here.
 * @throws NotConnected, AuthFailed, ConfigInvalid as the broker says; Aborted.
 */
export async function openLink(
  socket: Socket,
  options: LinkOptions,
  onMessage: MessageHook,
  signal: AbortSignal,
): Promise<Link> {
  const life = createLife();
  life.onEnd(() => socket.destroy());
  watchSocket(socket, options, life);
  const client = new MqttClient(() => socket, options.client);
  const { where, clock, unfinished } = options;
  const publish = createPublish(client, life, where, unfinished);
  const ping = createPing(client, life, clock, where);
  takeMessages(client, onMessage);
  const abort = (): void => life.end(new Aborted(`logging in at ${where} was cancelled`));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const connack = await login(client, socket, life, options).finally(() => signal.removeEventListener('abort', abort));
  return {
    broker: brokerOf(connack),
    get open() {
      return life.state === 'open';
    },
    acknowledge: (list) => {
      if (life.state === 'open' && list.length > 0) socket.write(encodeAcknowledgements(list));
    },
    publish,
    ping,
    subscribe: (filters, wanted) => subscribe(client, filters, wanted),
    unsubscribe: (filters) => unsubscribe(client, filters),
    goodbye: (cancel) => sayGoodbye(socket, life, clock, cancel),
    cut: (error) => life.end(error),
    onEnd: (listener) => life.onEnd(({ error }) => listener(error)),
  };
}

async function login(client: MqttClient, socket: Socket, life: Life, options: LinkOptions): Promise<IConnackPacket> {
  const { where, unfinished } = options;
  const { promise, resolve, reject } = Promise.withResolvers<IConnackPacket>();
  life.onEnd(({ error }) => reject(error));
  client.on('packetreceive', (packet) => judgePacket(packet, life, where));
  client.on('error', (error) => {
    life.end(new NotConnected(`the link to ${where} failed: ${error.message}`, { cause: error }));
  });
  client.on('connect', resolve);
  const connack = await promise;
  life.opened();
  if (!connack.sessionPresent) unfinished.clear();
  await releaseUnfinished(client, socket, life, unfinished);
  return connack;
}

/** Ends the link on a refused login and on the broker's DISCONNECT. */
function judgePacket(packet: Packet, life: Life, where: string): void {
  if (packet.cmd === 'connack') {
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    if (code > 0)
      life.end(reasonError('connect', code, `the broker at ${where} refused the login`, reasonString(packet)));
  } else if (packet.cmd === 'disconnect') {
    const code = packet.reasonCode ?? 0;
    life.end(reasonError('disconnect', code, `the broker at ${where} ended the link`, reasonString(packet)), code);
  }
}

/**
 * Takes over from the library what happens to a received message. An error given to its callback makes it go on with
 * the next packet without acknowledging, so that many can be on their way into the log while the parser never waits.
 */
function takeMessages(client: MqttClient, onMessage: MessageHook): void {
  const deferred = new Error('acknowledged later');
  const exactlyOnce = new WeakSet<Packet>();
  client.on('packetreceive', (packet) => {
    // The library would keep a QoS 2 message in memory and confirm it before anybody has stored it.
    if (packet.cmd !== 'publish' || packet.qos !== 2) return;
    exactlyOnce.add(packet);
    packet.qos = 1;
  });
  client.handleMessage = (packet, done) => {
    const twice = exactlyOnce.has(packet);
    onMessage(twice ? { ...packet, qos: 2 } : packet, replyTo(packet, twice));
    done(deferred);
  };
}

const replyTo = ({ qos, messageId }: IPublishPacket, twice: boolean): Acknowledgement | undefined =>
  qos === 0 || messageId === undefined ? undefined : { type: twice ? 'pubrec' : 'puback', id: messageId };

/** PUBACK and PUBREC of two bytes mean success in MQTT 3.1.1 and 5 alike (MQTT 5 section 3.4.2.1). */
function encodeAcknowledgements(list: readonly Acknowledgement[]): Buffer {
  const bytes = Buffer.allocUnsafe(list.length * 4);
  for (const [index, { type, id }] of list.entries()) {
    bytes.writeUInt16BE(type === 'puback' ? 0x4002 : 0x5002, index * 4);
    bytes.writeUInt16BE(id, index * 4 + 2);
  }
  return bytes;
}

function watchSocket(socket: Socket, options: LinkOptions, life: Life): void {
  const { where, clock, silence, maxPacketBytes } = options;
  let lastByte = clock.monotonic();
  const guard = packetGuard(maxPacketBytes, (bytes) => {
    const advice = 'raise maxPacketBytes, or limit the size of messages at the broker';
    life.end(
      new NotConnected(
        `the broker at ${where} sent a packet of ${bytes} bytes, more than ${maxPacketBytes}: ${advice}`,
      ),
    );
  });
  socket.on('data', (chunk) => {
    lastByte = clock.monotonic();
    guard(chunk);
  });
  socket.on('error', (error) => life.end(socketError(where, error)));
  socket.on('close', () => life.end(new NotConnected(`the broker at ${where} closed the link`)));
  const check = (): void => {
    const quiet = clock.monotonic() - lastByte;
    if (quiet >= silence) life.end(new NotConnected(`no byte from the broker at ${where} for ${Math.round(quiet)} ms`));
    else stop = clock.timeout(silence - quiet, check);
  };
  let stop = clock.timeout(silence, check);
  life.onEnd(() => stop());
}

async function sayGoodbye(socket: Socket, life: Life, clock: Clock, signal: AbortSignal): Promise<void> {
  if (life.state === 'closed') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  life.onEnd(() => resolve());
  const cut = (): void => life.end(new NotConnected('the link was closed'));
  socket.end(DISCONNECT);
  const stop = clock.timeout(GOODBYE_MS, cut);
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  await promise;
  stop();
  signal.removeEventListener('abort', cut);
}

function brokerOf({ sessionPresent, properties = {} }: IConnackPacket): Broker {
  return {
    sessionPresent,
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    maximumPacketSize: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    maximumQoS: properties.maximumQoS ?? 2,
    retainAvailable: properties.retainAvailable ?? true,
    subscriptionIdentifiers: properties.subscriptionIdentifiersAvailable ?? true,
  };
}
