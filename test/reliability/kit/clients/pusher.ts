import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';

/** Times between two tries of a message that was refused: a pusher waits less than `Retry-After` says. */
const IMPATIENT_MS = 25;

/** Sends numbered messages of ten keys as fast as it may, until told to stop. */
export interface Pusher {
  /** Resolves to how many messages of all keys were acknowledged. */
  stop(): Promise<number>;
}

/** What is pushed: ten keys, and messages that begin with key and number. */
export interface PushOptions {
  readonly url: string;
  readonly topic: (key: number) => string;
  readonly size: number;
}

const KEYS = 10;
/** Messages that are published in one go. */
const BURST = 200;

/** The text of a message. */
const textOf = (key: number, number: number, size: number): string => `${key} ${number} `.padEnd(size, 'x');

/** An app that publishes by REST; `refused` counts answers 429. */
export function pushHttp({ url, topic, size }: PushOptions): Pusher & { refused(): number } {
  let stopping = false;
  let refused = 0;
  const publish = async (key: number, number: number): Promise<number> => {
    const response = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': `${topic(key)} ${number}` },
      body: JSON.stringify({ topic: topic(key), text: textOf(key, number, size) }),
    });
    await response.arrayBuffer();
    return response.status;
  };
  const push = async (key: number): Promise<number> => {
    for (let number = 0; ; ) {
      if (stopping) return number;
      const status = await publish(key, number);
      if (status === 202) number++;
      else if (status !== 429) throw new Error(`the gateway answered ${status}`);
      else {
        refused++;
        await sleep(IMPATIENT_MS);
      }
    }
  };
  const pushing = Promise.all(Array.from({ length: KEYS }, (_, key) => push(key)));
  pushing.catch(() => undefined); // told by stop
  return {
    refused: () => refused,
    stop: async () => {
      stopping = true;
      return (await pushing).reduce((sum, count) => sum + count, 0);
    },
  };
}

/** A device that publishes to the broker while `mayGo`, and waits `pause` ms between two messages. */
export async function pushMqtt(
  { url, topic, size }: PushOptions,
  { mayGo, pause }: { readonly mayGo: (sent: number) => boolean; readonly pause: number },
): Promise<Pusher> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
  let stopping = false;
  const push = async (): Promise<number> => {
    const last: Promise<unknown>[] = [];
    let sent = 0;
    while (!stopping) {
      for (let burst = pause > 0 ? 1 : BURST; burst > 0 && mayGo(sent); burst--, sent++) {
        const [key, number] = [sent % KEYS, Math.floor(sent / KEYS)];
        last[key] = client.publishAsync(topic(key), textOf(key, number, size), { qos: 1 });
      }
      await sleep(Math.max(pause, 1));
    }
    await Promise.all(last);
    return sent;
  };
  const pushing = push();
  pushing.catch(() => undefined); // told by stop
  return {
    stop: async () => {
      stopping = true;
      try {
        return await pushing;
      } finally {
        await client.endAsync(true);
      }
    },
  };
}
