import { ackBytes, type Outgoing } from '../wire/outgoing.ts';
import type { AckPacket } from '../wire/packets.ts';
import type { Life } from './life.ts';

/** The QoS 2 publishes that a former link left half done. */
export interface Unfinished {
  /** Ends them, by PUBREL for each packet id. Resolves when the broker has answered all; empties the set. */
  release(): Promise<void>;
  /** The broker has forgotten the packet id: a PUBCOMP has come, or a PUBREC that refuses. */
  completed(packet: AckPacket): void;
}

/**
 * Otherwise the broker would take the next publish with such an id for a repeat and drop it [MQTT-4.3.3-10]. The messages
 * themselves are sent again by the caller, under new ids.
 */
export function createUnfinished(ids: Set<number>, outgoing: Outgoing, life: Life): Unfinished {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined); // Nobody may be waiting.
  let releasing = false;
  return {
    release() {
      if (ids.size === 0) return Promise.resolve();
      releasing = true;
      life.onEnd(({ error }) => reject(error));
      for (const id of ids) outgoing.acknowledge(ackBytes('pubrel', id));
      return promise;
    },
    completed({ packetId }) {
      if (ids.delete(packetId) && releasing && ids.size === 0) resolve();
    },
  };
}
