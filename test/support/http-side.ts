import { waitFor } from '@magpie/testkit';
import { WebSocket } from 'ws';
import { createMailbox } from './mailbox.ts';
import {
  type Field,
  type Header,
  type Message,
  message,
  type Place,
  type Source,
  slug,
  type Target,
} from './message.ts';

/** An app that publishes by REST to topics `<prefix>/to/…`. */
export function httpSide(url: () => string, prefix: string): Source {
  return {
    from: (target) => ({ topic: `${prefix}/to/${slug(target)}` }),
    send: async (target, sent) => {
      const { headers, body } = request(`${prefix}/to/${slug(target)}`, sent);
      const response = await fetch(`${url()}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(body) });
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
    },
  };
}

function request(topic: string, sent: Message): { headers: Record<string, string>; body: object } {
  const { body, replyTo, expiresAt, time, via, trace, redelivered: _, ...same } = sent;
  return {
    headers: {
      'content-type': 'application/json',
      ...(via ? { 'magpie-via': via.join(', ') } : {}),
      ...(trace ?? {}),
    },
    body: {
      ...same,
      ...bodyForm(sent),
      topic,
      replyTo: replyTo && appText(replyTo),
      expiresAt: expiresAt && new Date(expiresAt).toISOString(),
      time: time && new Date(time).toISOString(),
    },
  };
}

function bodyForm({ body, contentType }: Message): object {
  if (contentType === 'application/json') return { payload: JSON.parse(body.toString()) };
  return contentType?.startsWith('text/') ? { text: body.toString() } : { base64: body.toString('base64') };
}

/** Addresses in the form apps read and write: a JID keeps its `@`. */
const appText = ({ scheme, segments }: Place): string => `${scheme}:${segments.join(scheme === 'jid' ? '@' : '/')}`;

function parseAppText(text: string): Place {
  const [scheme = '', path = ''] = text.split(/:(.*)/s);
  return { scheme, segments: path.split(scheme === 'jid' ? '@' : '/') };
}

/** An event as the stream shows it. */
export interface Shown {
  readonly source: string;
  readonly address: string;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}

/** An app that watches everything on a WebSocket. */
export interface Watcher extends Target {
  /** The event with this id as it was shown. */
  shown(id: string): Promise<Shown>;
  /** The receipt or status event about the delivery with this id. */
  about(delivery: string): Promise<Shown>;
  /** Resolves when every target of the event with this id has confirmed it. */
  confirmed(id: string): Promise<unknown>;
  /** How many events with this id have been shown. */
  count(id: string): number;
  close(): void;
}

/** Connects an app that reads after a position, by default from now on, and waits until it is subscribed. */
export async function watch(url: string, after?: string): Promise<Watcher> {
  const mailbox = createMailbox<Shown>();
  const notices = createMailbox<Shown>();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, ['magpie.v1.json']);
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'subscribe', id: 'all', after })));
    socket.on('message', (data) => {
      const frame: { type: string; events?: { event: Shown }[] } = JSON.parse(String(data));
      if (frame.type === 'subscribed') resolve();
      if (frame.type === 'error') reject(new Error(String(data)));
      for (const { event } of frame.events ?? []) {
        if (event.kind === 'message') mailbox.put(String(event.id), event);
        else notices.put(String(event.correlationId), event);
      }
    });
  });
  return {
    to: () => undefined,
    receive: async (_, id) => decode(await mailbox.take(id)),
    shown: mailbox.take,
    about: notices.take,
    confirmed: async (id) => {
      const { ref } = await mailbox.take(id);
      const isConfirmed = async (): Promise<boolean> => {
        const response = await fetch(`${url}/v1/messages/${String(ref)}`);
        const { targets } = (await response.json()) as { targets: { state: string }[] };
        return targets.every(({ state }) => state === 'confirmed');
      };
      await waitFor(isConfirmed, { what: `the confirmation of ${id}` });
    },
    count: mailbox.count,
    close: () => socket.terminate(),
  };
}

const SAME: readonly Field[] = [
  ...(['id', 'type', 'subject', 'contentType', 'contentEncoding', 'correlationId', 'priority', 'retain'] as const),
  'redelivered',
];

function decode(event: Shown): Message {
  const { payload, text, base64, replyTo, time, expiresAt, headers, via, traceparent, tracestate } = event;
  const body = payload === undefined ? Buffer.from(String(text ?? '')) : Buffer.from(JSON.stringify(payload));
  return message({
    ...Object.fromEntries(SAME.map((name) => [name, event[name]])),
    body: base64 === undefined ? body : Buffer.from(String(base64), 'base64'),
    replyTo: replyTo === undefined ? undefined : parseAppText(String(replyTo)),
    time: Date.parse(String(time)),
    expiresAt: expiresAt === undefined ? undefined : Date.parse(String(expiresAt)),
    headers: headers as readonly Header[],
    via: via as readonly string[],
    trace:
      traceparent === undefined
        ? undefined
        : { traceparent: String(traceparent), ...(tracestate === undefined ? {} : { tracestate: String(tracestate) }) },
  });
}
