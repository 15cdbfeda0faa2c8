import { setTimeout as sleep } from 'node:timers/promises';
import { NotConnected } from '@magpie/contract';
import type { Gate } from './gate.ts';

/** The state of the network, shared by all wires of a broker. */
export interface Network {
  /** Closed while the network is silent. */
  readonly silence: Gate;
  /** One way, ms. */
  latency: number;
}

/** One client's link to the broker, like a socket: it can be delayed, silenced and cut. */
export interface Wire {
  readonly up: boolean;
  /** Resolves when a packet has arrived, in call order. Rejects with `NotConnected` when the wire is cut first. */
  pass(): Promise<void>;
  /** Waits for something the other end does. Rejects with `NotConnected` when the wire is cut first. */
  whileUp<T>(promise: Promise<T>): Promise<T>;
  cut(): void;
}

/** A wire that is up. */
export function createWire(network: Network): Wire {
  const onCut = new Set<(error: NotConnected) => void>();
  let up = true;
  const whileUp = <T>(promise: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      promise.then(resolve, reject).finally(() => onCut.delete(reject));
      if (up) onCut.add(reject);
      else reject(cutError());
    });
  return {
    get up() {
      return up;
    },
    pass: () => whileUp(travel(network)),
    whileUp,
    cut() {
      up = false;
      for (const reject of onCut) reject(cutError());
      onCut.clear();
    },
  };
}

const cutError = (): NotConnected => new NotConnected('the link to the in-memory broker is down');

async function travel({ silence, latency }: Network): Promise<void> {
  await silence.passed();
  if (latency > 0) await sleep(latency, undefined, { ref: false });
}
