import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

/** An app on the stream. */
export interface App {
  readonly socket: WebSocket;
  /** Texts of the events received, in order. */
  readonly texts: readonly string[];
  /** Error frames received. */
  readonly errors: readonly string[];
  /** Subscribes to everything after a position; without one, from the oldest event. */
  subscribe(id: string, after?: string): void;
}

/** Connects an app; it goes with the test. */
export async function openApp(url: string): Promise<App> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, ['magpie.v1.json']);
  onTestFinished(() => socket.terminate());
  const [texts, errors]: [string[], string[]] = [[], []];
  socket.on('message', (data) => {
    const frame: { type: string; events?: { event: { text?: string } }[] } = JSON.parse(String(data));
    if (frame.type === 'error') errors.push(String(data));
    for (const { event } of frame.events ?? []) texts.push(event.text ?? '');
  });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  const subscribe = (id: string, after = 'earliest'): void =>
    socket.send(JSON.stringify({ type: 'subscribe', id, after }));
  return { socket, texts, errors, subscribe };
}
