import { type Clock, ConfigInvalid, NotConnected } from '@magpie/contract';
import { reasonError } from '../errors.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import type { SubackPacket } from '../wire/packets.ts';
import { encodeSubscribe, encodeUnsubscribe, type SubscribeOptions } from '../wire/requests.ts';
import type { Answer, Exchange } from './exchanges.ts';

/** What the broker has against one filter. */
export interface Refusal {
  /** A state for the status page: `not permitted: …` where only a human can help, else `refused: …`. */
  readonly state: string;
  /** The broker has subscribed us nevertheless, at this QoS, which is lower than wanted. */
  readonly granted?: 0;
  /** The broker has said nothing at all. */
  readonly isUnanswered?: true;
}

/** Refused filters with the reason; what is not in it is subscribed. */
export type Refusals = ReadonlyMap<string, Refusal>;

/** Subscribing on one link. */
export interface Requests {
  /** Resolves with what the broker refused [MQTT-3.9.3-1] or has not answered in time. @throws NotConnected when the link ends. */
  subscribe(filters: readonly string[], options: SubscribeOptions): Promise<Refusals>;
  /** Resolves with whether the broker has answered in time. @throws NotConnected when the link ends. */
  unsubscribe(filters: readonly string[]): Promise<boolean>;
}

/** What the requests of one link need. */
export interface RequestOptions {
  /** Gives an exchange its packet id, and takes the id back. */
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
  /** Resolves with undefined when the broker says nothing: what is sent meanwhile must not wait for it for ever. */
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

/** The refusal of a filter that the broker says nothing about, after a wait of `patience` ms. */
export const unanswered = (patience: number): Refusal => ({
  state: `not subscribed: the broker has not answered SUBSCRIBE within ${patience / 1000} s`,
  isUnanswered: true,
});

function judge(filter: string, wanted: 0 | 1, packet: SubackPacket, index: number): [string, Refusal][] {
  const granted = packet.codes[index];
  if (granted === undefined) {
    const codes = packet.codes.length;
    return [
      [filter, { state: `refused: the broker's SUBACK does not name it, it has ${codes} reason codes [MQTT-3.9.3-1]` }],
    ];
  }
  if (granted < 0x80 && granted >= wanted) return [];
  if (granted < 0x80) {
    const advice = 'write qos: 0 in the route, or allow more at the broker';
    return [[filter, { state: `not permitted: granted at QoS 0 only, not ${wanted}: ${advice}`, granted: 0 }]];
  }
  const error = reasonError('subscribe', granted, 'the broker refuses the topic', packet.reasonString);
  const kind = error instanceof ConfigInvalid ? 'not permitted' : 'refused';
  return [[filter, { state: `${kind}: ${error.message}` }]];
}
