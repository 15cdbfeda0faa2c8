import { NotConnected } from '@magpie/contract';
import { reasonError } from '../errors.ts';
import { type AckBytes, ackBytes, type Outgoing } from '../wire/outgoing.ts';
import type { AckPacket, ConnackPacket, ControlPacket, InboundPacket, SubackPacket } from '../wire/packets.ts';
import type { PacketHandler } from '../wire/parser.ts';
import type { Exchanges } from './exchanges.ts';
import type { Life } from './life.ts';
import type { Pings } from './ping.ts';
import type { Unfinished } from './unfinished-qos2.ts';

/** Called with every received PUBLISH, in order; `reply` acknowledges it and is 0 at QoS 0. Must not throw. */
export type MessageHook = (packet: InboundPacket, reply: AckBytes) => void;

/** What received packets act upon. */
export interface ReceiverOptions {
  /** Host and port, for messages. */
  readonly where: string;
  readonly maxPacketBytes: number;
  readonly life: Life;
  readonly outgoing: Outgoing;
  readonly exchanges: Exchanges;
  readonly pings: Pings;
  readonly unfinished: Unfinished;
  readonly onMessage: MessageHook;
  /** Called with the first packet, when it is a CONNACK. */
  onConnack(packet: ConnackPacket): void;
}

/** Answers to a broker that reads none of them, bytes. */
const MOST_UNREAD = 1024 * 1024;

/** Gives each packet of one link to whom it concerns, and ends the link over what no broker may send. */
export function createReceiver(options: ReceiverOptions): PacketHandler {
  const { where, maxPacketBytes, life, outgoing, exchanges, pings, unfinished, onMessage } = options;
  let loggedIn = false;
  const malformed = (problem: string): void =>
    life.end(new NotConnected(`the link to ${where} failed: the broker sent ${problem}`));
  const first = (packet: ControlPacket): void => {
    if (packet.type === 'disconnect') disconnected(packet.reasonCode, packet.reasonString);
    else if (packet.type === 'connack') {
      loggedIn = true;
      options.onConnack(packet);
    } else malformed(`a packet of type ${packet.type} before its CONNACK`);
  };
  const disconnected = (code: number, text: string | undefined): void =>
    life.end(reasonError('disconnect', code, `the broker at ${where} ended the link`, text), code);
  const answer = (packet: AckPacket | SubackPacket): void => {
    const { type, packetId } = packet;
    const isHalf = type === 'pubrec' && packet.reasonCode < 0x80;
    const exchange = exchanges.find(packet);
    if (exchange && !isHalf) exchanges.end(packetId);
    exchange?.answered(packet);
    if (isHalf) reply('pubrel', packetId);
    else if (type === 'pubrec' || type === 'pubcomp') unfinished.completed(packet);
  };
  const reply = (type: 'pubrel' | 'pubcomp', packetId: number): void => {
    outgoing.acknowledge(ackBytes(type, packetId));
    if (!outgoing.blocked || outgoing.waiting < MOST_UNREAD) return;
    life.end(new NotConnected(`the broker at ${where} reads none of our answers`));
  };
  return {
    publish(packet) {
      const { qos, packetId } = packet;
      if (!loggedIn) return malformed('a PUBLISH before its CONNACK');
      onMessage(packet, qos === 0 ? 0 : ackBytes(qos === 1 ? 'puback' : 'pubrec', packetId));
    },
    control(packet) {
      if (!loggedIn) return first(packet);
      switch (packet.type) {
        case 'connack':
          return malformed('a second CONNACK [MQTT-3.2.0-2]');
        case 'pubrel':
          return reply('pubcomp', packet.packetId);
        case 'pingresp':
          return pings.answered();
        case 'disconnect':
          return disconnected(packet.reasonCode, packet.reasonString);
        default:
          return answer(packet);
      }
    },
    malformed,
    tooLarge(bytes) {
      const advice = 'raise maxPacketBytes, or limit the size of messages at the broker';
      const what = `the broker at ${where} sent a packet of ${bytes} bytes, more than ${maxPacketBytes}`;
      life.end(new NotConnected(`${what}: ${advice}`));
    },
  };
}
