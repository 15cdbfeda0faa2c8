import type { EventJson } from '@magpie/contract';
import { WebSocket } from 'ws';
import { createInbox } from './inbox.ts';

/** Two apps on the API: one publishes by REST, another watches on a WebSocket. */
export interface App {
  publish(topic: string, text: string): Promise<void>;
  /** Resolves to the next events seen, as `connection address`. */
  seen(count: number): Promise<readonly string[]>;
  close(): void;
}

interface Frame {
  readonly type: string;
  readonly events?: readonly { readonly event: EventJson }[];
}

/** Connects the watching app and waits until it is subscribed. */
export async function startApp(url: string): Promise<App> {
  const inbox = createInbox<string>();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, ['magpie.v1.json']);
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'subscribe', id: 'all', kinds: ['message'] })));
    socket.on('message', (data) => {
      const frame: Frame = JSON.parse(String(data));
      if (frame.type === 'subscribed') resolve();
      if (frame.type === 'error') reject(new Error(String(data)));
      for (const { event } of frame.events ?? []) inbox.put(`${event.source} ${event.address}`);
    });
  });
  return {
    publish: async (topic, text) => {
      const body = JSON.stringify({ topic, text });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/v1/messages`, { method: 'POST', headers, body });
      if (response.status !== 202) throw new Error(`the API answered ${response.status}: ${await response.text()}`);
    },
    seen: async (count) => {
      const seen: string[] = [];
      while (seen.length < count) seen.push(await inbox.take());
      return seen;
    },
    close: () => socket.close(1000),
  };
}
