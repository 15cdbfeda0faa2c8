import { AbortWatch } from '@magpie/adapter-kit';
import { type MagpieError, NotConnected, Rejected, type SendReceipt, Throttled, TooLarge } from '@magpie/contract';
import { packetBytes } from '../codec/encode.ts';
import { MAX_EXCHANGES } from '../link/exchanges.ts';
import type { Link } from '../link/link.ts';
import type { OutboundPacket } from '../wire/outgoing.ts';
import type { BrokerLimits, LimitVerdict } from './broker-limits.ts';
import { createQueue } from './queue.ts';
import { type Account, Sending } from './unconfirmed.ts';

/** Sends over one link, in call order, never exceeding the broker's limit of unconfirmed messages. */
export interface Outbox {
  /**
   * Resolves on PUBACK, PUBCOMP or, at QoS 0, once handed to the socket. Rejects according to the broker's answer; with
   * `Rejected` or `TooLarge` at once for messages that its CONNACK rules out; with `NotConnected` when the link ends
   * before the message was written, `Unknown` or the broker's DISCONNECT reason when it ends later; with `Aborted`.
   */
  send(packet: OutboundPacket, signal: AbortSignal): Promise<SendReceipt>;
  /** Writes a QoS 0 message without waiting; false when it would have to wait or cannot be sent. */
  post(packet: OutboundPacket): boolean;
  /** Called when the link ends: messages still waiting were never written. */
  lost(error: MagpieError): void;
}

/** Options of one outbox. */
export interface OutboxOptions {
  /** Host and port, for messages. */
  readonly where: string;
  /** Our own limit of unconfirmed messages. */
  readonly maxInflight: number;
  readonly limits: BrokerLimits;
}

/** Pause for a message that the broker rules out for the first time, ms. */
const DOUBT_MS = 5000;

/** Makes the outbox of one link. */
export function createOutbox(link: Link, { where, maxInflight, limits }: OutboxOptions): Outbox {
  const { broker, exchanges } = link;
  // Receive Maximum counts QoS 1 and 2 [MQTT-3.3.4-7].
  const limit = Math.min(maxInflight, broker.receiveMaximum, MAX_EXCHANGES);
  const cancels = new AbortWatch<Sending>((sending) => sending.abort());
  const queue = createQueue<Sending>();
  let written: Sending[] = [];
  let inflight = 0;

  const account: Account = {
    where,
    settled: (sending) => cancels.done(sending),
    answered() {
      inflight--;
      queue.take(mayStart, start);
    },
  };
  const mayStart = ({ qos }: OutboundPacket | Sending): boolean => !link.blocked && (qos === 0 || inflight < limit);
  const start = (sending: Sending): void => {
    const packet = sending.start();
    if (!packet) return;
    if (sending.qos === 0) {
      written.push(sending);
      link.publishOnly(packet);
    } else {
      inflight++;
      link.publish(packet, sending);
    }
  };
  const lost = (error: MagpieError): void => {
    for (const sending of queue.clear()) sending.fail(new NotConnected(error.message, { cause: error }));
  };
  const takeWritten = (): readonly Sending[] => {
    const list = written;
    if (list.length > 0) written = [];
    return list;
  };

  link.onHandedOver(() => {
    for (const sending of takeWritten()) sending.succeed('written');
    queue.take(mayStart, start);
  });
  link.onEnd((end) => {
    lost(end.error);
    const list = takeWritten();
    exchanges.lose(end, list.length);
    for (const sending of list) sending.lost(end, list.length === 1);
  });

  return {
    send(packet, signal) {
      const problem = problemOf(packet, limits);
      if (problem) return Promise.reject(problem);
      if (!link.open) return Promise.reject(new NotConnected(`the link to ${where} is down`));
      const sending = new Sending(packet, signal, account);
      cancels.watch(sending);
      if (queue.empty && mayStart(packet)) start(sending);
      else queue.push(sending);
      return sending.receipt;
    },
    post(packet) {
      if (packet.qos !== 0 || !link.open || !queue.empty || !mayStart(packet) || problemOf(packet, limits))
        return false;
      link.publishOnly(packet);
      return true;
    },
    lost,
  };
}

/**
 * The reason why the broker's CONNACK rules the message out, if any [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15].
 */
function problemOf(packet: OutboundPacket, limits: BrokerLimits): MagpieError | undefined {
  const { topic, qos, retain } = packet;
  const { maximumQoS, maximumPacketSize, retainAvailable } = limits.now;
  if (qos > maximumQoS) {
    const words = `the broker accepts at most QoS ${maximumQoS}, the message to "${topic}" has QoS ${qos}: set qos in the target`;
    return refused(
      words,
      Rejected,
      limits.judge(({ maximumQoS: most }) => qos > most),
    );
  }
  if (retain && !retainAvailable) {
    const words = `the broker keeps no retained messages: write retain: false in the target of "${topic}"`;
    return refused(
      words,
      Rejected,
      limits.judge(({ retainAvailable: keeps }) => !keeps),
    );
  }
  if (!Number.isFinite(maximumPacketSize)) return undefined;
  const bytes = packetBytes(packet);
  const words = `the message to "${topic}" has ${bytes} bytes, the broker accepts at most ${maximumPacketSize}`;
  return refused(
    words,
    TooLarge,
    limits.judge(({ maximumPacketSize: most }) => bytes > most),
  );
}

/** The error for a verdict; a message that is only doubted waits, together with what follows it to the same place. */
function refused(
  words: string,
  Refusal: typeof Rejected | typeof TooLarge,
  verdict: LimitVerdict,
): MagpieError | undefined {
  if (verdict === 'fits') return undefined;
  if (verdict === 'refused') return new Refusal(words);
  const doubt = `${words}; this is new since this login: waiting to see whether the limit stays`;
  return new Throttled(doubt, DOUBT_MS).concerning('place');
}
