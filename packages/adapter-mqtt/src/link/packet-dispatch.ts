import { NotConnected } from '@magpie/contract';
import { reasonError } from '../errors.ts';
import { type AckBytes, ackBytes, type Outgoing } from '../wire/outgoing.ts';
import type { AckPacket, ConnackPacket, ControlPacket, InboundPacket, SubackPacket } from '../wire/packets.ts';
import type { PacketHandler } from '../wire/parser.ts';
import type { Exchanges } from './exchanges.ts';
import type { Life } from './life.ts';
import type { Pings } from './ping.ts';
import type { UnfinishedPublishes } from './unfinished-qos2.ts';

/** Called with every received PUBLISH, in order; `reply` acknowledges it and is 0 at QoS 0. Must not throw. */
export type MessageHook = (packet: InboundPacket, reply: AckBytes) => void;

/** The parts that received packets act on. */
export interface ReceiverOptions {
  /** Host and port, for messages. */
  readonly where: string;
  readonly maxPacketBytes: number;
  readonly life: Life;
  readonly outgoing: Outgoing;
  readonly exchanges: Exchanges;
  readonly pings: Pings;
  readonly unfinished: UnfinishedPublishes;
  readonly onMessage: MessageHook;
  /** Called with the first packet, when it is a CONNACK. */
  onConnack(packet: ConnackPacket): void;
}

type PacketType = ControlPacket['type'] | 'publish';
type Phase = 'login' | 'session';

const ANSWERS = ['puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback'] as const;

/**
 * What a broker may send in each phase of a link [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT-3.14.0-1]; anything else ends the
 * link. Answers to packets of a previous link are ignored. AUTH, and DISCONNECT on 3.1.1, are refused by the parser.
 */
const EXPECTED: Readonly<Record<Phase, ReadonlySet<PacketType>>> = {
  login: new Set(['connack']),
  session: new Set(['publish', ...ANSWERS, 'pingresp', 'disconnect']),
};

const UNEXPECTED: Readonly<Record<Phase, (type: PacketType) => string>> = {
  login: (type) => `${type.toUpperCase()} before its CONNACK`,
  session: (type) => `a second ${type.toUpperCase()} [MQTT-3.2.0-2]`,
};

/** Maximum of unread answers before the link ends, bytes. */
const MOST_UNREAD = 1024 * 1024;

/** Dispatches the packets of one link, and ends the link over packets that a broker must not send. */
export function createReceiver(options: ReceiverOptions): PacketHandler {
  const { where, maxPacketBytes, life, outgoing, exchanges, pings, unfinished, onMessage } = options;
  let phase: Phase = 'login';
  const malformed = (problem: string): void =>
    life.end(new NotConnected(`the link to ${where} failed: the broker sent ${problem}`));
  const disconnected = (code: number, text: string | undefined): void =>
    life.end(reasonError('disconnect', code, `the broker at ${where} ended the link`, text), code);
  const answer = (packet: AckPacket | SubackPacket): void => {
    const { type, packetId } = packet;
    const isHalf = type === 'pubrec' && packet.reasonCode < 0x80;
    const exchange = exchanges.find(packet);
    if (exchange && !isHalf) exchanges.end(packetId);
    exchange?.answered(packet);
    if (isHalf) {
      unfinished.received(packetId);
      reply('pubrel', packetId);
    } else if (type === 'pubrec' || type === 'pubcomp' || type === 'puback') unfinished.completed(packetId);
  };
  const reply = (type: 'pubrel' | 'pubcomp', packetId: number): void => {
    outgoing.acknowledge(ackBytes(type, packetId));
    if (!outgoing.blocked || outgoing.waiting < MOST_UNREAD) return;
    life.end(new NotConnected(`the broker at ${where} does not read our answers`));
  };
  return {
    publish(packet) {
      const { qos, packetId } = packet;
      if (!EXPECTED[phase].has('publish')) return malformed(UNEXPECTED[phase]('publish'));
      onMessage(packet, qos === 0 ? 0 : ackBytes(qos === 1 ? 'puback' : 'pubrec', packetId));
    },
    control(packet) {
      if (!EXPECTED[phase].has(packet.type)) return malformed(UNEXPECTED[phase](packet.type));
      switch (packet.type) {
        case 'connack':
          phase = 'session';
          return options.onConnack(packet);
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
      const what = `the broker at ${where} sent a packet of ${bytes} bytes, more than the limit of ${maxPacketBytes}`;
      life.end(new NotConnected(`${what}: raise maxPacketBytes, or limit the size of messages at the broker`));
    },
  };
}
