import { type Clock, ConfigInvalid, NotConnected } from '@magpie/contract';
import { reasonError } from '../errors.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import type { SubackPacket } from '../wire/packets.ts';
import { encodeSubscribe, encodeUnsubscribe, type SubscribeOptions } from '../wire/requests.ts';
import type { Answer, Exchange } from './exchanges.ts';

/** The broker's refusal of one filter. */
export interface Refusal {
  /** A state for the status page: `not permitted: …` where only a human can help, else `refused: …`. */
  readonly state: string;
  /** Set when the broker subscribed us at this QoS, lower than requested. */
  readonly granted?: 0;
  /** Set when the broker did not answer. */
  readonly isUnanswered?: true;
}

/** Refused filters with their reasons; all other filters are subscribed. */
export type Refusals = ReadonlyMap<string, Refusal>;

/** Subscribing on one link. */
export interface Requests {
  /**
   * Resolves with the filters the broker refused [MQTT-3.9.3-1] or did not answer in time. @throws NotConnected when
   * the link ends.
   */
  subscribe(filters: readonly string[], options: SubscribeOptions): Promise<Refusals>;
  /** Resolves with whether the broker has answered in time. @throws NotConnected when the link ends. */
  unsubscribe(filters: readonly string[]): Promise<boolean>;
}

/** Dependencies of the requests of one link. */
export interface RequestOptions {
  /** Assigns a packet id to an exchange, and frees it. */
  begin(exchange: Exchange): number;
  end(packetId: number): void;
  readonly outgoing: Outgoing;
  readonly version: 5 | 3;
  readonly clock: Clock;
  /** Longest wait for one answer, ms. */
  readonly patience: number;
}

/** Makes the requests of one link. */
export function createRequests({ begin, end, outgoing, version, clock, patience }: RequestOptions): Requests {
  /** Resolves with undefined when the broker does not answer: other packets must not wait for ever. */
  const ask = (type: SubackPacket['type'], what: string, encode: (id: number) => Buffer) => {
    const { promise, resolve, reject } = Promise.withResolvers<SubackPacket | undefined>();
    const id = begin({
      expects: type,
      answered: (packet: Answer) => {
        if (packet.type === 'suback' || packet.type === 'unsuback') resolve(packet);
      },
      lost: ({ error }) => reject(new NotConnected(`cannot ${what}: ${error.message}`, { cause: error })),
    });
    const stop = clock.timeout(patience, () => {
      end(id);
      resolve(undefined);
    });
    outgoing.write(encode(id));
    return promise.finally(stop);
  };
  return {
    async subscribe(filters, options) {
      const packet = await ask('suback', 'subscribe', (id) => encodeSubscribe(id, filters, options, version));
      if (!packet) return new Map(filters.map((filter) => [filter, unanswered(patience)]));
      return new Map(filters.flatMap((filter, index) => judge(filter, options.qos, packet, index)));
    },
    async unsubscribe(filters) {
      const packet = await ask('unsuback', 'unsubscribe', (id) => encodeUnsubscribe(id, filters, version));
      return packet !== undefined;
    },
  };
}

/** The refusal of a filter that the broker did not answer within `patience` ms. */
export const unanswered = (patience: number): Refusal => ({
  state: `not subscribed: the broker has not answered SUBSCRIBE within ${patience / 1000} s`,
  isUnanswered: true,
});

function judge(filter: string, wanted: 0 | 1, packet: SubackPacket, index: number): [string, Refusal][] {
  const granted = packet.codes[index];
  if (granted === undefined) {
    const codes = packet.codes.length;
    return [
      [
        filter,
        { state: `refused: the broker's SUBACK has no reason code for it, only ${codes} in all [MQTT-3.9.3-1]` },
      ],
    ];
  }
  if (granted < 0x80 && granted >= wanted) return [];
  if (granted < 0x80) {
    const advice = 'write qos: 0 in the route, or allow more at the broker';
    return [[filter, { state: `not permitted: the broker granted QoS 0 instead of ${wanted}: ${advice}`, granted: 0 }]];
  }
  const error = reasonError('subscribe', granted, 'the broker refuses the topic', packet.reasonString);
  const kind = error instanceof ConfigInvalid ? 'not permitted' : 'refused';
  return [[filter, { state: `${kind}: ${error.message}` }]];
}
