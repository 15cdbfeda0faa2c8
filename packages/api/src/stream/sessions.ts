import type { StoredEvent } from '@magpie/bus';
import { type EventJson, errorMessage, eventToJson } from '@magpie/contract';
import type { EventSubscription, Gateway } from '@magpie/core';
import type { Metrics } from '@magpie/telemetry';
import type { WebSocket } from 'ws';
import { filterOf } from '../resources/events.ts';
import { type ClientFrame, clientFrameSchema } from '../schemas.ts';

/** The subprotocol of `/v1/stream`. */
export const PROTOCOL = 'magpie.v1.json';

const LIMITS = {
  frameBytes: 64 * 1024,
  subscriptions: 32,
  /** Unsent bytes per socket above which subscriptions without credit of their own pause. */
  bufferedBytes: 1024 * 1024,
  /** A socket that stays above for this long is closed. */
  slowMs: 30_000,
  pingMs: 15_000,
  missedPings: 2,
} as const;

/** Events let through at a time for a subscription that gives no credit. */
const FLOW_CREDIT = 64;

/** Close codes: 4000–4499 reconnect, 4500–4999 do not. */
export const CLOSE = { goingAway: 1001, slow: 4008, silent: 4009, badFrame: 4500 } as const;

const RECONNECT_MS = 1000;

export interface Streams {
  /** Serves one socket until it closes. */
  open(socket: WebSocket): void;
  /** Ends all with 1001. */
  close(): void;
}

interface StreamDeps {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
}

/** Serves the WebSocket stream: subscriptions with a filter, a cursor and credit. */
export function createStreams({ gateway, metrics }: StreamDeps): Streams {
  const sockets = new Set<WebSocket>();
  const encode = eventEncoder(gateway);
  return {
    open: (socket) => {
      sockets.add(socket);
      metrics.streamSubscribers.set({}, sockets.size);
      const session = new Session(socket, gateway, encode);
      socket.on('message', (data, binary) => session.receive(binary ? undefined : String(data)));
      socket.on('error', () => undefined); // the close event follows
      socket.on('close', () => {
        session.end();
        sockets.delete(socket);
        metrics.streamSubscribers.set({}, sockets.size);
      });
    },
    close: () => {
      for (const socket of sockets) {
        socket.send(JSON.stringify({ type: 'bye', reconnectAfterMs: RECONNECT_MS }));
        socket.close(CLOSE.goingAway, 'the gateway is stopping');
      }
    },
  };
}

/** JSON of a stored event as the stream shows it; the text is made once for all subscribers. */
function eventEncoder({ book }: Gateway): (stored: StoredEvent) => string {
  const cache = new WeakMap<StoredEvent, string>();
  return (stored) => {
    const known = cache.get(stored);
    if (known !== undefined) return known;
    const event: EventJson = eventToJson(stored.event, book);
    const text = JSON.stringify({ position: stored.position, event });
    cache.set(stored, text);
    return text;
  };
}

interface Open {
  readonly subscription: EventSubscription;
  /** Whether the app gives credit itself. */
  readonly credited: boolean;
}

class Session {
  readonly #socket: WebSocket;
  readonly #gateway: Gateway;
  readonly #encode: (stored: StoredEvent) => string;
  readonly #open = new Map<string, Open>();
  readonly #pinger: NodeJS.Timeout;
  #unanswered = 0;
  #paused: { readonly since: number; readonly owed: Map<string, number> } | undefined;

  constructor(socket: WebSocket, gateway: Gateway, encode: (stored: StoredEvent) => string) {
    this.#socket = socket;
    this.#gateway = gateway;
    this.#encode = encode;
    socket.on('pong', () => {
      this.#unanswered = 0;
    });
    this.#pinger = setInterval(() => this.#ping(), LIMITS.pingMs);
    this.#pinger.unref();
    const { frameBytes, pingMs } = LIMITS;
    this.#send({ type: 'hello', protocol: PROTOCOL, gateway: gateway.id, maxFrameBytes: frameBytes, pingMs });
  }

  end(): void {
    clearInterval(this.#pinger);
    for (const { subscription } of this.#open.values()) subscription.close();
    this.#open.clear();
  }

  receive(text: string | undefined): void {
    const frame = parseFrame(text);
    if (typeof frame === 'string') return this.#error(400, 'Invalid frame', frame);
    try {
      this.#obey(frame);
    } catch (error) {
      this.#error(422, 'Cannot be processed', errorMessage(error), 'id' in frame ? frame.id : undefined);
    }
  }

  #obey(frame: ClientFrame): void {
    switch (frame.type) {
      case 'subscribe':
        return this.#subscribe(frame);
      case 'credit':
        return this.#find(frame.id).subscription.credit(frame.credit);
      case 'unsubscribe':
        this.#find(frame.id).subscription.close();
        this.#open.delete(frame.id);
        return this.#send({ type: 'unsubscribed', id: frame.id });
      case 'ack':
        this.#find(frame.id);
        return;
      case 'ping':
        return this.#send({ type: 'pong' });
    }
  }

  #find(id: string): Open {
    const open = this.#open.get(id);
    if (open) return open;
    throw new Error(`there is no subscription "${id}" on this socket`);
  }

  #subscribe({ id, connection, address, kinds, after, credit }: Extract<ClientFrame, { type: 'subscribe' }>): void {
    if (this.#open.has(id)) throw new Error(`the subscription "${id}" exists already on this socket`);
    if (this.#open.size >= LIMITS.subscriptions)
      throw new Error(`at most ${LIMITS.subscriptions} subscriptions per socket`);
    const filter = { ...filterOf(this.#gateway, { connection, address }), ...(kinds ? { kinds } : {}) };
    const from = this.#startOf(after);
    const subscription = this.#gateway.subscribe(filter, from, {
      events: (batch) => this.#events(id, batch),
      gap: (start, end) => this.#send({ type: 'gap', id, from: start, to: end }),
      failed: (error) => this.#error(503, 'Unavailable', error.message, id),
    });
    this.#open.set(id, { subscription, credited: credit !== undefined });
    this.#send({ type: 'subscribed', id, position: after ?? this.#gateway.head() ?? null });
    subscription.credit(credit ?? FLOW_CREDIT);
  }

  #startOf(after: string | undefined) {
    if (after === undefined) return 'now' as const;
    if (after === 'earliest') return after;
    const position = this.#gateway.parsePosition(after);
    if (position) return position;
    throw new Error(`"${after}" is not a position of this log: expected one from an event, or "earliest"`);
  }

  #events(id: string, batch: readonly StoredEvent[]): void {
    const name = JSON.stringify(id);
    this.#socket.send(`{"type":"events","id":${name},"events":[${batch.map(this.#encode).join(',')}]}`, () =>
      this.#drained(),
    );
    if (this.#open.get(id)?.credited === false) this.#feed(id, batch.length);
  }

  /** Gives a subscription without credit of its own as much again, once the socket has room. */
  #feed(id: string, count: number): void {
    if (this.#socket.bufferedAmount <= LIMITS.bufferedBytes) {
      this.#open.get(id)?.subscription.credit(count);
      return;
    }
    this.#paused ??= { since: performance.now(), owed: new Map() };
    this.#paused.owed.set(id, (this.#paused.owed.get(id) ?? 0) + count);
  }

  #drained(): void {
    if (!this.#paused || this.#socket.bufferedAmount > LIMITS.bufferedBytes / 2) return;
    const { owed } = this.#paused;
    this.#paused = undefined;
    for (const [id, count] of owed) this.#open.get(id)?.subscription.credit(count);
  }

  #ping(): void {
    if (this.#paused && performance.now() - this.#paused.since > LIMITS.slowMs) {
      return this.#socket.close(CLOSE.slow, 'reading too slowly; resume from the last position');
    }
    if (this.#unanswered >= LIMITS.missedPings) return this.#socket.terminate();
    this.#unanswered++;
    this.#socket.ping();
  }

  #send(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }

  #error(status: number, title: string, detail: string, id?: string): void {
    this.#send({ type: 'error', ...(id === undefined ? {} : { id }), status, title, detail });
  }
}

function parseFrame(text: string | undefined): ClientFrame | string {
  if (text === undefined) return 'expected a JSON text frame, got a binary one';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `expected JSON: ${errorMessage(error)}`;
  }
  const parsed = clientFrameSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.map(({ path, message }) => `/${path.map(String).join('/')}: ${message}`).join('; ');
}
