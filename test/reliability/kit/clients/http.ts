import type { Sender } from './ends.ts';

const TIMEOUT_MS = 5000;

/** An app that publishes by REST; a message that was not answered is sent again under the same Idempotency-Key. */
export function httpSender(url: () => string, topic: (key: string) => string): Sender {
  return {
    send: async (key, id) => {
      const response = await fetch(`${url()}/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': id },
        body: JSON.stringify({ topic: topic(key), text: id }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer = await response.text();
      if (response.status !== 202) throw new Error(`${response.status} ${answer}`);
    },
    close: async () => undefined,
  };
}
