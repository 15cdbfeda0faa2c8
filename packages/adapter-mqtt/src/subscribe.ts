import { ConfigInvalid, errorMessage, NotConnected } from '@magpie/contract';
import type { MqttClient } from 'mqtt';
import { reasonError } from './errors.ts';
import { reasonString } from './outstanding.ts';

/** Options of one SUBSCRIBE (MQTT 5 section 3.8.3.1); the optional ones exist in MQTT 5 only. */
export interface SubscribeOptions {
  readonly qos: 0 | 1;
  /** Do not send us what we publish. */
  readonly nl?: boolean;
  /** Keep the retain flag as published. */
  readonly rap?: boolean;
  /** 0: send retained messages; 1: only when the subscription is new; 2: never. */
  readonly rh?: 0 | 1 | 2;
  /** Comes with every message that this subscription matches. */
  readonly identifier?: number;
}

/** What the broker has against one filter. */
export interface Refusal {
  /** A state for the status page: `not permitted: …` where only a human can help, else `refused: …`. */
  readonly state: string;
  /** The broker has subscribed us nevertheless, at this QoS, which is lower than wanted. */
  readonly granted?: 0;
}

/** Refused filters with the reason; what is not in it is subscribed. */
export type Refusals = ReadonlyMap<string, Refusal>;

/**
 * Subscribes and judges the broker's answer for each filter [MQTT-3.9.3-1].
 * @throws NotConnected when there is no answer.
 */
export async function subscribe(
  client: MqttClient,
  filters: readonly string[],
  options: SubscribeOptions,
): Promise<Refusals> {
  const { identifier, ...rest } = options;
  const properties = identifier === undefined ? {} : { properties: { subscriptionIdentifier: identifier } };
  const { promise, resolve, reject } = Promise.withResolvers<Refusals>();
  client.subscribe([...filters], { ...rest, ...properties }, (error, _, packet) => {
    const granted = packet?.granted.map(Number) ?? [];
    const refusals = filters.flatMap((filter, index) => judge(filter, options.qos, granted[index], packet));
    if (refusals.length > 0 || !error) resolve(new Map(refusals));
    else reject(new NotConnected(`cannot subscribe: ${errorMessage(error)}`, { cause: error }));
  });
  return promise;
}

function judge(filter: string, wanted: 0 | 1, granted: number | undefined, packet: unknown): [string, Refusal][] {
  if (granted === undefined || (granted < 0x80 && granted >= wanted)) return [];
  if (granted < 0x80) {
    const advice = 'write qos: 0 in the route, or allow more at the broker';
    return [[filter, { state: `not permitted: granted at QoS 0 only, not ${wanted}: ${advice}`, granted: 0 }]];
  }
  const error = reasonError('subscribe', granted, 'the broker refuses the topic', reasonString(packet));
  const kind = error instanceof ConfigInvalid ? 'not permitted' : 'refused';
  return [[filter, { state: `${kind}: ${error.message}` }]];
}

/** Unsubscribes. @throws NotConnected when the link ends first. */
export async function unsubscribe(client: MqttClient, filters: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.unsubscribe([...filters], (error) => {
    if (error) reject(new NotConnected(`cannot unsubscribe: ${error.message}`, { cause: error }));
    else resolve();
  });
  return promise;
}
