import type { AckPacket, SubackPacket } from '../wire/packets.ts';
import type { LinkEnd } from './life.ts';

/** An answer to one of our packets. */
export type Answer = AckPacket | SubackPacket;

/** One of our packets, waiting for its answer. */
export interface Exchange {
  /** The expected answer. A PUBREC is followed by a PUBCOMP; a PUBACK instead of a PUBREC ends the exchange too. */
  expects: Answer['type'];
  /** Called with the final answer, or with a refusing PUBREC. */
  answered(packet: Answer): void;
  /** Called when the link has ended; `alone` when no other packet was waiting. */
  lost(end: LinkEnd, alone: boolean): void;
}

/** Packet ids of one link [MQTT-2.2.1-3] with the exchanges that use them. */
export interface Exchanges {
  /** Assigns a free packet id to an exchange; undefined when there is none. */
  begin(exchange: Exchange): number | undefined;
  /** The exchange this packet answers; undefined for an unexpected answer. */
  find(packet: Answer): Exchange | undefined;
  /** Frees the packet id. */
  end(packetId: number): void;
  /** Advances the coarse timer by one tick. True when a packet has been unanswered for `patience` whole ticks. */
  overdue(patience: number): boolean;
  /** Ends all exchanges because the link has ended. */
  lose(end: LinkEnd, others: number): void;
}

const LAST_ID = 65_535;
/** Ids beyond those of messages, for subscribing. */
const SPARE = 512;

/** Maximum number of messages waiting for an answer. */
export const MAX_EXCHANGES: number = LAST_ID - SPARE;

/**
 * Holds `messages` publishes and some requests. Ids start at random, so that a broker does not take them for old ones;
 * ids for which `isHeld` is true are skipped, as the broker still holds them for an earlier message. Called once per
 * packet id.
 */
export function createExchanges(messages: number, isHeld: (packetId: number) => boolean = () => false): Exchanges {
  // A ring: packet ids a multiple of its size apart share a slot, which one of them may occupy.
  const size = 2 ** Math.ceil(Math.log2(Math.min(messages, MAX_EXCHANGES) + SPARE));
  const mask = size - 1;
  const ring = new Array<Exchange | undefined>(size).fill(undefined);
  const ids = new Uint16Array(size);
  // The tick in which each was begun: cheaper than reading the clock per message.
  const begun = new Uint32Array(size);
  let stretch = 0;
  let last = Math.floor(Math.random() * LAST_ID);
  return {
    begin(exchange) {
      let held = 0;
      for (let step = 0; step < size + 1 + held && step < LAST_ID; step++) {
        last = (last % LAST_ID) + 1;
        const place = last & mask;
        if (ring[place] !== undefined) continue;
        if (isHeld(last)) {
          held++;
          continue;
        }
        ring[place] = exchange;
        ids[place] = last;
        begun[place] = stretch;
        return last;
      }
      return undefined;
    },
    find(packet) {
      const place = packet.packetId & mask;
      const exchange = ids[place] === packet.packetId ? ring[place] : undefined;
      if (exchange?.expects === packet.type) return exchange;
      // A broker that has no QoS 2 (RabbitMQ) takes such a publish as QoS 1 and answers so.
      return exchange?.expects === 'pubrec' && packet.type === 'puback' ? exchange : undefined;
    },
    end(packetId) {
      ring[packetId & mask] = undefined;
    },
    overdue(patience) {
      stretch++;
      return ring.some((exchange, place) => exchange !== undefined && stretch - begun[place]! > patience);
    },
    lose(end, others) {
      const left = ring.filter((exchange) => exchange !== undefined);
      ring.fill(undefined);
      for (const exchange of left) exchange.lost(end, left.length + others === 1);
    },
  };
}
