import type { AckPacket, SubackPacket } from '../wire/packets.ts';
import type { LinkEnd } from './life.ts';

/** What answers one of our packets. */
export type Answer = AckPacket | SubackPacket;

/** One of our packets on its way to being answered. */
export interface Exchange {
  /** What comes next. A PUBREC is no end: a PUBCOMP follows. In place of a PUBREC a PUBACK ends it as well. */
  expects: Answer['type'];
  /** The last answer, or a PUBREC that refuses. */
  answered(packet: Answer): void;
  /** The link has ended; `alone` when nothing else was under way. */
  lost(end: LinkEnd, alone: boolean): void;
}

/** Packet ids of one link [MQTT-2.2.1-3] with what waits for an answer under them. */
export interface Exchanges {
  /** Takes a free packet id for an exchange; undefined when there is none. */
  begin(exchange: Exchange): number | undefined;
  /** The exchange that this packet goes on with; an answer that nobody waits for is ignored. */
  find(packet: Answer): Exchange | undefined;
  /** Frees the packet id. */
  end(packetId: number): void;
  /** One more stretch of time is over. Whether something has gone unanswered for `patience` whole stretches. */
  overdue(patience: number): boolean;
  /** Tells everybody that the link has ended. */
  lose(end: LinkEnd, others: number): void;
}

const LAST_ID = 65_535;
/** Ids beyond those of messages, for subscribing. */
const SPARE = 512;

/** Most messages that may wait for an answer at a time. */
export const MAX_EXCHANGES: number = LAST_ID - SPARE;

/**
 * Room for `messages` publishes and some requests. Ids begin anywhere, so that a broker does not take them for old ones, and
 * those that `isHeld` names are left out: the broker still holds them for an earlier message. Asked once per packet id.
 */
export function createExchanges(messages: number, isHeld: (packetId: number) => boolean = () => false): Exchanges {
  // A ring: packet ids that are far enough apart share a place, which one of them may occupy.
  const size = 2 ** Math.ceil(Math.log2(Math.min(messages, MAX_EXCHANGES) + SPARE));
  const mask = size - 1;
  const ring = new Array<Exchange | undefined>(size).fill(undefined);
  const ids = new Uint16Array(size);
  // In which stretch of time each was begun: to look at the clock for every message costs more.
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
