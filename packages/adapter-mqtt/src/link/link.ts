import type { Socket } from 'node:net';
import { onAbort } from '@magpie/adapter-kit';
import { Aborted, type Clock, type MagpieError, NotConnected } from '@magpie/contract';
import { reasonError, socketError } from '../errors.ts';
import { type AckBytes, ackBytes, createOutgoing, type OutboundPacket, type Outgoing } from '../wire/outgoing.ts';
import type { ConnackPacket } from '../wire/packets.ts';
import { createParser } from '../wire/parser.ts';
import { type ConnectRequest, DISCONNECT, encodeConnect, PINGREQ } from '../wire/requests.ts';
import { watchConfirms } from './confirm-watch.ts';
import { createExchanges, type Exchange, type Exchanges } from './exchanges.ts';
import { createKeepalive, type Keepalive } from './keepalive.ts';
import { createLife, type Life } from './life.ts';
import { createReceiver, type MessageHook } from './packet-dispatch.ts';
import { createPings, type Pings } from './ping.ts';
import { createRequests, type Requests } from './subscribe-requests.ts';
import type { UnfinishedPublishes } from './unfinished-qos2.ts';

/** The broker's limits and the session, from its CONNACK. */
export interface Broker {
  readonly sessionPresent: boolean;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly maximumQoS: number;
  readonly retainAvailable: boolean;
  readonly subscriptionIdentifiers: boolean;
}

/** One established MQTT link. Each connect makes a new one, so that an old link cannot affect it. */
export interface Link extends Requests, Pick<Pings, 'ping'> {
  readonly broker: Broker;
  readonly open: boolean;
  /** Acknowledges in the order of the calls; does nothing once the link is closed. */
  acknowledge(bytes: AckBytes): void;
  /** Writes buffered packets at once instead of at the end of the turn. */
  flush(): void;
  /** Whether the socket accepts nothing at present. */
  readonly blocked: boolean;
  /** Writes a QoS 0 message; the `onHandedOver` listener is called once it is handed over. */
  publishOnly(packet: OutboundPacket): void;
  /** Writes a message that the broker answers. @throws NotConnected when no packet id is free. */
  publish(packet: OutboundPacket, exchange: Exchange): void;
  /** Sets the listener that is called whenever everything written was handed to the socket and it accepts more. */
  onHandedOver(listener: () => void): void;
  readonly exchanges: Exchanges;
  /** DISCONNECT (the will is not sent), then waits for the end; a fired signal cuts. Never rejects. */
  goodbye(signal: AbortSignal): Promise<void>;
  /** Ends the link at once, without a DISCONNECT. */
  cut(error: MagpieError): void;
  readonly onEnd: Life['onEnd'];
}

/** The options of one link. */
export interface LinkOptions {
  readonly request: ConnectRequest;
  /** Host and port, for messages. */
  readonly where: string;
  /** Largest incoming packet, in bytes. */
  readonly maxPacketBytes: number;
  /** Maximum number of messages waiting for the broker's answer. */
  readonly maxInflight: number;
  /** Longest silence of either side before a ping, ms; after twice this time without a byte the link ends. */
  readonly keepalive: number;
  /** Longest wait for the broker's answer to one packet, ms; then the link ends. */
  readonly confirmTimeout: number;
  readonly clock: Clock;
  /** QoS 2 publishes left unfinished by earlier links; updated by this one. */
  readonly unfinished: UnfinishedPublishes;
}

/** Longest wait for the answer to a SUBSCRIBE, ms: until then nothing is sent after connecting. */
const SUBSCRIBE_MS = 5000;
/** Time the broker has to read our last acknowledgements, ms. */
const LAST_PING_MS = 1000;
const GOODBYE_MS = 2000;

/** The parts of a link under construction. */
interface Parts {
  readonly socket: Socket;
  readonly options: LinkOptions;
  readonly life: Life;
  readonly outgoing: Outgoing;
  readonly keepalive: Keepalive;
  readonly exchanges: Exchanges;
  readonly pings: Pings;
  readonly connack: Promise<ConnackPacket>;
  /** Replaces the listener for "everything handed over". */
  setHandedOver(listener: () => void): void;
}

/**
 * Logs in over an open socket and owns it from then on.
 * @throws NotConnected, AuthFailed, ConfigInvalid as the broker says; Aborted.
 */
export async function openLink(
  socket: Socket,
  options: LinkOptions,
  onMessage: MessageHook,
  signal: AbortSignal,
): Promise<Link> {
  const parts = assemble(socket, options, onMessage);
  const { life } = parts;
  const stop = onAbort(signal, () => life.end(new Aborted(`logging in at ${options.where} was cancelled`)));
  const connack = await login(parts).finally(stop);
  return linkOf(parts, brokerOf(connack));
}

function assemble(socket: Socket, options: LinkOptions, onMessage: MessageHook): Parts {
  const { where, clock, request, keepalive: ms, maxPacketBytes, unfinished } = options;
  const life = createLife();
  let handedOver = (): void => undefined;
  const outgoing = createOutgoing(socket, request.version, () => handedOver());
  life.onEnd(() => {
    // Acknowledgements of this turn are for stored messages.
    outgoing.flush();
    socket.destroy();
  });
  const ping = (): void => outgoing.write(PINGREQ);
  const keepalive = createKeepalive({ where, clock, silence: 2 * ms, writes: () => outgoing.writes, ping }, life);
  const exchanges = createExchanges(options.maxInflight, (id) => unfinished.holds(id));
  watchConfirms({ where, clock, timeout: options.confirmTimeout, exchanges }, life);
  const pings = createPings(ping, life, clock, where);
  const connack = Promise.withResolvers<ConnackPacket>();
  life.onEnd(({ error }) => connack.reject(error));
  const receiver = createReceiver({
    where,
    maxPacketBytes,
    life,
    outgoing,
    exchanges,
    pings,
    unfinished,
    onMessage,
    onConnack: connack.resolve,
  });
  const parser = createParser(request.version, maxPacketBytes, receiver);
  life.onEnd(parser.stop);
  socket.on('data', (chunk) => {
    keepalive.heard();
    pings.heard();
    parser.push(chunk);
  });
  socket.on('error', (error) => life.end(life.state === 'opening' ? unanswered(error) : socketError(where, error)));
  socket.on('close', () => {
    const error = life.state === 'opening' ? unanswered() : new NotConnected(`the broker at ${where} closed the link`);
    life.end(error, undefined, true);
  });
  /** Brokers that do not know MQTT 5 take such a CONNECT for garbage and close (RabbitMQ before 3.13, ActiveMQ). */
  const unanswered = (error?: Error): MagpieError => {
    const advice =
      request.version === 5 ? '; does it speak MQTT 5? If not, set version: 3' : '; does the port speak MQTT?';
    const said = error ? ` (${error.message})` : '';
    return new NotConnected(`the broker at ${where} closed the link without an answer to our CONNECT${said}${advice}`);
  };
  const setHandedOver = (listener: () => void): void => {
    handedOver = listener;
  };
  const parts = { socket, options, life, outgoing, keepalive, exchanges, pings, setHandedOver };
  return { ...parts, connack: connack.promise };
}

async function login({ options, life, outgoing, keepalive, connack }: Parts): Promise<ConnackPacket> {
  outgoing.write(encodeConnect(options.request));
  outgoing.flush();
  const packet = await connack;
  const { reasonCode, sessionPresent, properties } = packet;
  if (reasonCode > 0) {
    const error = reasonError(
      'connect',
      reasonCode,
      `the broker at ${options.where} refused the login`,
      properties.reasonString,
    );
    life.end(error);
    throw error;
  }
  if (sessionPresent && options.request.clean) {
    throw ended(
      life,
      `the broker at ${options.where} claims to have kept a session, although we asked for a clean one [MQTT-3.2.2-2]`,
    );
  }
  life.opened();
  // The broker may require a shorter keepalive [MQTT-3.1.2-21].
  keepalive.start(Math.min(options.keepalive, (properties.serverKeepAlive || Number.POSITIVE_INFINITY) * 1000));
  if (!sessionPresent) options.unfinished.clear();
  // The answers are not awaited: a broker that sends none must not block the link.
  for (const id of options.unfinished.halfDone()) outgoing.acknowledge(ackBytes('pubrel', id));
  return packet;
}

function ended(life: Life, why: string): NotConnected {
  const error = new NotConnected(why);
  life.end(error);
  return error;
}

function linkOf({ socket, options, life, outgoing, exchanges, pings, setHandedOver }: Parts, broker: Broker): Link {
  const { where, clock, request, unfinished, confirmTimeout } = options;
  // The link ends when an answer is overdue: an unanswered SUBSCRIBE must time out before.
  const patience = Math.min(SUBSCRIBE_MS, confirmTimeout / 2);
  const begin = (exchange: Exchange): number => {
    if (life.state !== 'open') throw new NotConnected(`the link to ${where} is down`);
    const id = exchanges.begin(exchange);
    if (id !== undefined) return id;
    throw new NotConnected(`no packet id is free on the link to ${where}: reduce maxInflight`);
  };
  return {
    broker,
    exchanges,
    get open() {
      return life.state === 'open';
    },
    get blocked() {
      return outgoing.blocked;
    },
    acknowledge: (bytes) => {
      if (life.state === 'open') outgoing.acknowledge(bytes);
    },
    flush: () => outgoing.flush(),
    publishOnly: (packet) => outgoing.publish(packet, 0),
    publish: (packet, exchange) => {
      const id = begin(exchange);
      if (packet.qos === 2) unfinished.sent(id);
      outgoing.publish(packet, id);
    },
    onHandedOver: setHandedOver,
    ping: pings.ping,
    ...createRequests({ begin, end: exchanges.end, outgoing, version: request.version, clock, patience }),
    async goodbye(cancel) {
      // The answer proves that the broker has read our acknowledgements; it may discard unread ones at the end.
      await pings.ping(LAST_PING_MS, cancel).catch(() => undefined);
      await sayGoodbye(socket, outgoing, life, clock, cancel);
    },
    cut: (error) => life.end(error),
    onEnd: life.onEnd,
  };
}

async function sayGoodbye(socket: Socket, outgoing: Outgoing, life: Life, clock: Clock, signal: AbortSignal) {
  if (life.state === 'closed') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  life.onEnd(() => resolve());
  const cut = (): void => life.end(new NotConnected('the link was closed'));
  outgoing.write(DISCONNECT);
  outgoing.flush();
  socket.end();
  const stopTimer = clock.timeout(GOODBYE_MS, cut);
  const stop = onAbort(signal, cut);
  await promise;
  stopTimer();
  stop();
}

function brokerOf({ sessionPresent, properties }: ConnackPacket): Broker {
  return {
    sessionPresent,
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    maximumPacketSize: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    maximumQoS: properties.maximumQoS ?? 2,
    retainAvailable: properties.retainAvailable ?? true,
    subscriptionIdentifiers: properties.subscriptionIdentifiersAvailable ?? true,
  };
}
