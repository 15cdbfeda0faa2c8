import { setTimeout as sleep } from 'node:timers/promises';
import { post } from './http.ts';

/** What became of a good client's messages. */
export interface GoodResult {
  /** Refs of those that were answered 202. */
  readonly acknowledged: readonly string[];
  /** How many were not. */
  readonly refusals: number;
}

/** A client that publishes a small message now and then, each over a new socket. */
export interface GoodClient {
  /** Resolves when it has published once more from now on. */
  rest(): Promise<void>;
  stop(): Promise<GoodResult>;
}

const EVERY_MS = 100;

/** Starts a client that publishes to the topic `good` until it is stopped. */
export function goodClient(url: string, key?: string): GoodClient {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const acknowledged: string[] = [];
  let [refusals, count, stopped] = [0, 0, false];
  const publish = async (): Promise<void> => {
    const answer = await post(`${url}/v1/messages`, { topic: 'good', text: `good ${count}` }, headers).catch(
      () => undefined,
    );
    if (answer?.status === 202) acknowledged.push(String(JSON.parse(answer.body).ref));
    else refusals++;
    count++;
  };
  const loop = async (): Promise<void> => {
    while (!stopped) {
      await publish();
      await sleep(EVERY_MS);
    }
  };
  const looping = loop();
  return {
    rest: async () => {
      const enough = count + 2;
      while (count < enough) await sleep(EVERY_MS);
    },
    stop: async () => {
      stopped = true;
      await looping;
      return { acknowledged, refusals };
    },
  };
}
