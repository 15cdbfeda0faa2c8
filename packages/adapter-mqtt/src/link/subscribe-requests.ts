import { ConfigInvalid, NotConnected } from '@magpie/contract';
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
}

/** Refused filters with the reason; what is not in it is subscribed. */
export type Refusals = ReadonlyMap<string, Refusal>;

/** Subscribing on one link. */
export interface Requests {
  /** Resolves with what the broker refused [MQTT-3.9.3-1]. @throws NotConnected when it does not answer. */
  subscribe(filters: readonly string[], options: SubscribeOptions): Promise<Refusals>;
  /** @throws NotConnected when the broker does not answer. */
  unsubscribe(filters: readonly string[]): Promise<void>;
}

/** Makes the requests of one link; `begin` gives an exchange its packet id. */
export function createRequests(begin: (exchange: Exchange) => number, outgoing: Outgoing, version: 5 | 3): Requests {
  const ask = (type: SubackPacket['type'], what: string, encode: (id: number) => Buffer): Promise<SubackPacket> => {
    const { promise, resolve, reject } = Promise.withResolvers<SubackPacket>();
    const id = begin({
      expects: type,
      answered: (packet: Answer) => {
        if (packet.type === 'suback' || packet.type === 'unsuback') resolve(packet);
      },
      lost: ({ error }) => reject(new NotConnected(`cannot ${what}: ${error.message}`, { cause: error })),
    });
    outgoing.write(encode(id));
    return promise;
  };
  return {
    async subscribe(filters, options) {
      const packet = await ask('suback', 'subscribe', (id) => encodeSubscribe(id, filters, options, version));
      return new Map(filters.flatMap((filter, index) => judge(filter, options.qos, packet, index)));
    },
    async unsubscribe(filters) {
      await ask('unsuback', 'unsubscribe', (id) => encodeUnsubscribe(id, filters, version));
    },
  };
}

function judge(filter: string, wanted: 0 | 1, packet: SubackPacket, index: number): [string, Refusal][] {
  const granted = packet.codes[index];
  if (granted === undefined || (granted < 0x80 && granted >= wanted)) return [];
  if (granted < 0x80) {
    const advice = 'write qos: 0 in the route, or allow more at the broker';
    return [[filter, { state: `not permitted: granted at QoS 0 only, not ${wanted}: ${advice}`, granted: 0 }]];
  }
  const error = reasonError('subscribe', granted, 'the broker refuses the topic', packet.reasonString);
  const kind = error instanceof ConfigInvalid ? 'not permitted' : 'refused';
  return [[filter, { state: `${kind}: ${error.message}` }]];
}
