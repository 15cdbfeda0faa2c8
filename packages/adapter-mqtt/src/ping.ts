import { Aborted, type Clock, NotConnected } from '@magpie/contract';
import type { MqttClient } from 'mqtt';
import type { Life } from './life.ts';

/** One PINGREQ and its PINGRESP. Rejects with `NotConnected` after `timeout` ms or when the link ends, `Aborted` on the signal. */
export type Ping = (timeout: number, signal: AbortSignal) => Promise<void>;

/** Makes `ping` for one link. Any PINGRESP after the call proves the link, whoever asked for it. */
export function createPing(client: MqttClient, life: Life, clock: Clock, where: string): Ping {
  let waiting: PromiseWithResolvers<void>[] = [];
  client.on('packetreceive', ({ cmd }) => {
    if (cmd === 'pingresp') for (const ping of waiting) ping.resolve();
  });
  life.onEnd(({ error }) => {
    for (const ping of waiting) ping.reject(new NotConnected(error.message, { cause: error }));
  });
  return async (timeout, signal) => {
    if (life.state !== 'open') throw new NotConnected(`the link to ${where} is down`);
    const ping = Promise.withResolvers<void>();
    const abort = (): void => ping.reject(new Aborted('the ping was cancelled'));
    if (signal.aborted) abort();
    waiting.push(ping);
    const late = `the broker at ${where} did not answer a ping within ${timeout} ms`;
    const stop = clock.timeout(timeout, () => ping.reject(new NotConnected(late)));
    signal.addEventListener('abort', abort, { once: true });
    client.sendPing();
    return ping.promise.finally(() => {
      stop();
      signal.removeEventListener('abort', abort);
      waiting = waiting.filter((other) => other !== ping);
    });
  };
}
