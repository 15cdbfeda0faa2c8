import { SEQUENCE_OFFSET, templateBody, writeSequence } from '../driver/body.ts';

/** Messages of one request, and requests under way at a time. */
const BATCH = 500;
const TOGETHER = 4;

/** What is published. */
export interface Filling {
  /** The gateway's own address. */
  readonly url: string;
  readonly topic: string;
  /** Bytes of a body. */
  readonly body: number;
  /** How many, and the number of the first. */
  readonly count: number;
  readonly from: number;
}

/** Publishes numbered messages in batches; resolves when all are stored. Rejects with the reason when one is not taken. */
export async function fill({ url, topic, body, count, from }: Filling): Promise<void> {
  const before = Buffer.from(`{"topic":${JSON.stringify(topic)},"payload":`);
  const message = Buffer.concat([before, templateBody(body), Buffer.from('},')]);
  const sequenceAt = before.length + SEQUENCE_OFFSET;
  let next = from;
  const end = from + count;
  const post = async (): Promise<void> => {
    while (next < end) {
      const first = next;
      const size = Math.min(BATCH, end - first);
      next += size;
      await publish(url, batchOf(message, sequenceAt, first, size));
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, post));
}

/** A JSON list of the message with `size` numbers from `first` on. */
function batchOf(message: Buffer, sequenceAt: number, first: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size * message.length + 1);
  bytes[0] = '['.charCodeAt(0);
  for (let index = 0; index < size; index++) {
    const at = 1 + index * message.length;
    message.copy(bytes, at);
    writeSequence(bytes, at + sequenceAt, first + index);
  }
  bytes[bytes.length - 1] = ']'.charCodeAt(0);
  return bytes;
}

async function publish(url: string, body: Buffer): Promise<void> {
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new Uint8Array(body),
  });
  const answer = await response.text();
  const problem = /"detail":"([^"]*)"/.exec(answer)?.[1];
  if (response.status !== 202 || problem !== undefined) {
    throw new Error(`a batch was not taken: HTTP status ${response.status}, ${problem ?? answer.slice(0, 200)}`);
  }
}
