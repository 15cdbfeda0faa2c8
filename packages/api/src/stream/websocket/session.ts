import { errorMessage } from '@magpie/contract';
import type { Gateway } from '@magpie/core';
import { problemsOf } from '@magpie/schema-messages';
import type { WebSocket } from 'ws';
import type { Caller } from '../../http/access/permit.ts';
import { Problem, toProblem } from '../../http/problems/problem.ts';
import type { EventEncoder } from '../encoder.ts';
import { CLOSE, type ClientFrame, clientFrameSchema, PROTOCOL, RECONNECT_MS, type StreamLimits } from '../frames.ts';
import { createSubscriptions, type Subscriptions } from '../subscriptions.ts';
import { createOutflow } from './outflow.ts';

/** Dependencies of a session. */
export interface SessionDeps {
  readonly gateway: Gateway;
  readonly encode: EventEncoder;
  readonly limits: StreamLimits;
  readonly caller: Caller;
}

/** One app on one socket. */
export interface Session {
  /** Says goodbye and closes with 1001. */
  bye(): void;
  /** Closes with 4403: the caller is no longer let in. */
  refuse(): void;
  /** Stops everything; called once the socket is closed. */
  end(): void;
}

/** Serves a socket: greets, handles frames, pings. A wrong frame is answered with an error; the socket stays open. */
export function openSession(socket: WebSocket, { gateway, encode, limits, caller }: SessionDeps): Session {
  const outflow = createOutflow(socket, limits, {
    full: () => subscriptions.pause(),
    room: () => subscriptions.resume(),
  });
  const subscriptions = createSubscriptions({ gateway, encode, limits, caller, output: outflow });
  const stopPings = keepAlive(socket, limits);
  socket.on('ping', (data) => outflow.pong(data));

  socket.on('message', (data, binary) => {
    let id: string | undefined;
    try {
      const frame = parseFrame(binary ? undefined : String(data));
      id = 'id' in frame ? frame.id : undefined;
      if (frame.type === 'ping') outflow.send({ type: 'pong' });
      else obey(subscriptions, frame);
    } catch (error) {
      const { status, title, message, errors } = toProblem(error);
      const detail = errors[0] ? `${errors[0].pointer}: ${errors[0].detail}` : message;
      outflow.send({ type: 'error', ...(id === undefined ? {} : { id }), status, title, detail });
    }
  });

  const { frameBytes: maxFrameBytes, subscriptions: maxSubscriptions, pingMs } = limits;
  const largest = { maxFrameBytes, maxEventFrameBytes: limits.eventFrameBytes, maxSubscriptions };
  outflow.send({ type: 'hello', protocol: PROTOCOL, gateway: gateway.id, ...largest, pingMs });
  return {
    bye: () => {
      subscriptions.close();
      outflow.send({ type: 'bye', reconnectAfterMs: RECONNECT_MS });
      outflow.close(CLOSE.goingAway);
    },
    refuse: () => {
      subscriptions.close();
      outflow.close(CLOSE.forbidden);
    },
    end: () => {
      stopPings();
      outflow.end();
      subscriptions.close();
    },
  };
}

function obey(subscriptions: Subscriptions, frame: Exclude<ClientFrame, { type: 'ping' }>): void {
  switch (frame.type) {
    case 'subscribe':
      subscriptions.subscribe(frame);
      break;
    case 'credit':
      subscriptions.credit(frame.id, frame.credit);
      break;
    case 'unsubscribe':
      subscriptions.unsubscribe(frame.id);
      break;
    case 'ack':
      subscriptions.acknowledge(frame.id, frame.position);
      break;
  }
}

/** Pings (RFC 6455, 5.5.2) and cuts a socket whose peer no longer answers. */
function keepAlive(socket: WebSocket, { pingMs, missedPings }: StreamLimits): () => void {
  let unanswered = 0;
  socket.on('pong', () => {
    unanswered = 0;
  });
  const timer = setInterval(() => {
    if (unanswered >= missedPings) return socket.terminate();
    unanswered++;
    socket.ping();
  }, pingMs);
  return () => clearInterval(timer);
}

function parseFrame(text: string | undefined): ClientFrame {
  if (text === undefined) throw new Problem(400, 'Expected a JSON text frame, got a binary one.');
  const parsed = clientFrameSchema.safeParse(parseJson(text), { reportInput: true });
  if (parsed.success) return parsed.data;
  const wrong = problemsOf(clientFrameSchema, parsed.error.issues);
  throw new Problem(400, wrong.map(({ pointer, message }) => `${pointer}: ${message}`).join('; '));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem(400, `Expected JSON: ${errorMessage(error)}.`);
  }
}
