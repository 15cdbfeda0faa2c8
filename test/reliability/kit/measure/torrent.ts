import { waitFor } from '@magpie/testkit';
import mqtt from 'mqtt';
import { createTally, type Tally } from './tally.ts';

const KEYS = 10;
/** Messages on their way at most, from the sender to the live target: the gateway sets the pace. */
const WINDOW = 1000;

/**
 * Streams of numbered messages as fast as the gateway passes them on to a live target: the sender is never more than a
 * window ahead of it, so that the broker between them keeps no queue. Each stream has ten keys of its own.
 */
export interface Torrent<Stream extends string> {
  /** Messages of a stream sent so far. */
  sent(stream: Stream): number;
  /** What arrived of a stream at the live target. */
  readonly live: Readonly<Record<Stream, Tally>>;
  /** Sends so many more of a stream, and resolves to the seconds until they have arrived at the live target. */
  pour(stream: Stream, count: number): Promise<number>;
  close(): Promise<void>;
}

/** Which messages a torrent sends, and where it looks for them. */
export interface TorrentOptions<Stream extends string> {
  readonly url: string;
  /** The messages of a stream are published to `<stream>/<key>` and arrive at `live/<stream>`. */
  readonly streams: readonly Stream[];
  /** Bytes of a message. */
  readonly size: number;
}

/** A tally for another target of a stream. */
export const streamTally = (): Tally => createTally(KEYS);

/** Key and number of a message. */
export function numberOf(text: string): readonly [key: number, number: number] {
  const [key, number] = text.split(' ', 2).map(Number);
  return [key!, number!];
}

/** Connects a sender and a reader. */
export async function openTorrent<Stream extends string>({
  url,
  streams,
  size,
}: TorrentOptions<Stream>): Promise<Torrent<Stream>> {
  const options = { protocolVersion: 5, properties: { receiveMaximum: 1000 } } as const;
  const [sender, reader] = await Promise.all([mqtt.connectAsync(url, options), mqtt.connectAsync(url, options)]);
  const flows = new Map(streams.map((stream) => [stream as string, { live: streamTally(), sent: 0, goal: 0 }]));
  const flowOf = (stream: string) => flows.get(stream)!;
  const pump = (stream: string): void => {
    const flow = flowOf(stream);
    for (; flow.sent < flow.goal && flow.sent - flow.live.count < WINDOW; flow.sent++) {
      const [key, number] = [flow.sent % KEYS, Math.floor(flow.sent / KEYS)];
      sender.publish(`${stream}/${key}`, `${key} ${number} `.padEnd(size, 'x'), { qos: 1 });
    }
  };
  reader.on('message', (topic, payload) => {
    const stream = topic.slice('live/'.length);
    flowOf(stream).live.received(...numberOf(payload.toString('latin1', 0, 32)));
    pump(stream);
  });
  await reader.subscribeAsync('live/#', { qos: 1 });
  return {
    sent: (stream) => flowOf(stream).sent,
    live: Object.fromEntries(streams.map((stream) => [stream, flowOf(stream).live])) as Record<Stream, Tally>,
    pour: async (stream, count) => {
      const started = performance.now();
      const flow = flowOf(stream);
      flow.goal += count;
      pump(stream);
      const what = `${flow.goal} messages of ${stream} at the live target`;
      await waitFor(() => flow.live.count >= flow.goal, { what, timeout: 20_000 + count, interval: 2 });
      return (performance.now() - started) / 1000;
    },
    close: async () => void (await Promise.all([sender.endAsync(true), reader.endAsync(true)])),
  };
}
