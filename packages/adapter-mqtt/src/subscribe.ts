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

/**
 * Subscribes and checks the broker's answer for each filter.
 * @throws ConfigInvalid naming the topic the broker refuses or grants at a lower QoS only; NotConnected.
 */
export async function subscribe(
  client: MqttClient,
  filters: readonly string[],
  options: SubscribeOptions,
): Promise<void> {
  const { identifier, ...rest } = options;
  const properties = identifier === undefined ? {} : { properties: { subscriptionIdentifier: identifier } };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.subscribe([...filters], { ...rest, ...properties }, (error, _, packet) => {
    const granted = packet?.granted.map(Number) ?? [];
    const problem = filters.flatMap((filter, index) => judge(filter, options.qos, granted[index], packet))[0];
    if (problem) reject(problem);
    else if (error) reject(new NotConnected(`cannot subscribe: ${errorMessage(error)}`, { cause: error }));
    else resolve();
  });
  return promise;
}

function judge(filter: string, wanted: number, granted: number | undefined, packet: unknown) {
  if (granted === undefined || granted === wanted) return [];
  if (granted >= 0x80) {
    return [
      reasonError('subscribe', granted, `the broker refuses to subscribe us to "${filter}"`, reasonString(packet)),
    ];
  }
  if (granted > wanted) return [];
  const advice = `write qos: ${granted} in the route, or allow more at the broker`;
  return [new ConfigInvalid(`the broker grants "${filter}" only at QoS ${granted}, not ${wanted}: ${advice}`)];
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
