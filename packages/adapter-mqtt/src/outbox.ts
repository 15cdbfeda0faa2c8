import { Aborted, type MagpieError, NotConnected, Rejected, TooLarge } from '@magpie/contract';
import { type OutboundPacket, packetBytes } from './encode.ts';
import type { Broker, Link } from './link.ts';

/** Sends over one link, in call order, with never more unconfirmed than the broker allows. */
export interface Outbox {
  /**
   * Resolves on the broker's confirmation. @throws as `Link.publish`; `Rejected` and `TooLarge` at once for what the broker
   * has said it does not take; `NotConnected` when the link ends while the message still waits here; `Aborted`.
   */
  send(packet: OutboundPacket, signal: AbortSignal): Promise<void>;
  /** The link has ended: what waits here was never handed over. */
  lost(error: MagpieError): void;
}

interface Waiting {
  start(): void;
  reject(error: MagpieError): void;
}

/** Makes the outbox of one link; `maxInflight` is our own limit. */
export function createOutbox(link: Link, maxInflight: number): Outbox {
  // Receive Maximum counts QoS 1 and 2 [MQTT-3.3.4-7].
  const limit = Math.min(maxInflight, link.broker.receiveMaximum);
  const queue = new Set<Waiting>();
  let inflight = 0;

  const hand = (packet: OutboundPacket): Promise<void> => {
    if (packet.qos === 0) return link.publish(packet);
    inflight++;
    return link.publish(packet).finally(() => {
      inflight--;
      next();
    });
  };
  const next = (): void => {
    for (const waiting of queue) {
      if (inflight >= limit) return;
      queue.delete(waiting);
      waiting.start();
    }
  };
  const enqueue = (packet: OutboundPacket, signal: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { start: () => resolve(hand(packet)), reject };
    queue.add(waiting);
    return cancellable(promise, signal, () => queue.delete(waiting));
  };

  return {
    send: async (packet, signal) => {
      checkBroker(packet, link.broker);
      if (queue.size > 0 || inflight >= limit) return enqueue(packet, signal);
      return cancellable(hand(packet), signal, () => undefined);
    },
    lost: (error) => {
      for (const { reject } of queue) reject(new NotConnected(error.message, { cause: error }));
      queue.clear();
    },
  };
}

/** What the broker's CONNACK ruled out [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15]. */
function checkBroker(packet: OutboundPacket, broker: Broker): void {
  const { topic, qos, retain } = packet;
  if (qos > broker.maximumQoS) {
    throw new Rejected(`the broker takes at most QoS ${broker.maximumQoS}, the message to "${topic}" has ${qos}`);
  }
  if (retain && !broker.retainAvailable) {
    throw new Rejected(`the broker keeps no retained messages: write retain: false in the target of "${topic}"`);
  }
  if (!Number.isFinite(broker.maximumPacketSize)) return;
  const bytes = packetBytes(packet);
  if (bytes > broker.maximumPacketSize) {
    throw new TooLarge(`the message to "${topic}" makes ${bytes} bytes, the broker takes ${broker.maximumPacketSize}`);
  }
}

async function cancellable(promise: Promise<void>, signal: AbortSignal, onAbort: () => void): Promise<void> {
  const cancelled = Promise.withResolvers<never>();
  const abort = (): void => {
    onAbort();
    cancelled.reject(new Aborted('sending was cancelled; the message may have arrived', { cause: signal.reason }));
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([promise, cancelled.promise]).finally(() => signal.removeEventListener('abort', abort));
}
