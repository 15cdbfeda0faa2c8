import { inspect } from 'node:util';
import {
  type AdapterContext,
  type AdapterDefinition,
  type Connection,
  createLineLogger,
  type MagpieError,
  newRef,
  type OutgoingEvent,
  type SendReceipt,
  type Sink,
  systemClock,
  type TargetRequest,
} from '@magpie/contract';
import { memoryStore } from '../connection-store.ts';
import type { AdapterSite, Keys } from './fixture.ts';
import { sourceRequest, targetRequest } from './requests.ts';

/** A connection under test, with everything it reported. Operations fail when they pass the deadline. */
export interface Link {
  readonly connection: Connection;
  /** Errors given to `lost`, in order. */
  readonly lost: readonly MagpieError[];
  /** Everything the adapter logged, reported or counted, as text. */
  readonly said: readonly string[];
  connect(signal?: AbortSignal): Promise<void>;
  /** Receives from the site's source, or from the given ones. */
  receive(sink: Sink, sources?: readonly Keys[]): Promise<void>;
  /** Sends to the site's target. */
  send(parts?: Partial<OutgoingEvent>, signal?: AbortSignal): Promise<SendReceipt>;
  /** Sends a text to the site's target. */
  sendText(text: string): Promise<SendReceipt>;
  /** Sends a text to another target. */
  sendTo(target: TargetRequest, text: string): Promise<SendReceipt>;
  probe(signal?: AbortSignal): Promise<void>;
  quiesce(): Promise<void>;
  close(): Promise<void>;
}

type AnyDefinition = AdapterDefinition<unknown, unknown, unknown>;

/** What the adapter reported through its context. */
interface Recording {
  readonly context: AdapterContext;
  readonly lost: MagpieError[];
  readonly said: string[];
}

/** Makes a connection from keys as a user writes them. No I/O. */
export function createLink(definition: AnyDefinition, site: AdapterSite, keys: Keys, deadline: number): Link {
  const { context, lost, said } = record();
  const connection = definition.create(definition.connectionSchema.parse(keys), context);
  const target: TargetRequest = targetRequest(definition, site.target);
  const never = (): AbortSignal => new AbortController().signal;
  const send: Link['send'] = (parts = {}, signal = never()) =>
    within('send', deadline, connection.send(outgoing(parts), target, signal));
  return {
    connection,
    lost,
    said,
    send,
    connect: (signal = never()) => within('connect', deadline, connection.connect(signal)),
    receive: (sink, sources = [site.source]) => {
      const requests = sources.map((source) => sourceRequest(definition, source));
      return within('receive', deadline, connection.receive(requests, sink));
    },
    sendText: (text) => send({ body: Buffer.from(text) }),
    sendTo: (other, text) =>
      within('send', deadline, connection.send(outgoing({ body: Buffer.from(text) }), other, never())),
    probe: (signal = never()) => within('probe', deadline, connection.probe(signal)),
    quiesce: () => within('quiesce', deadline, connection.quiesce(never())),
    close: () => within('close', deadline, connection.close(AbortSignal.timeout(deadline / 2))),
  };
}

/** A message as a lane hands it over; `id` and `ref` are fresh unless given. */
export function outgoing(parts: Partial<OutgoingEvent> = {}): OutgoingEvent {
  const [ref, delivery] = [newRef(), newRef()];
  const plain = { id: ref, ref, delivery, headers: [], via: [], time: Date.now(), redelivered: false };
  return { ...plain, body: Buffer.from('body'), ...parts };
}

/** Fails with a sentence when the promise has not settled in time; the suite's answer to everything that hangs. */
export function within<T>(what: string, deadline: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what} has not ended after ${deadline} ms: it must not hang`)),
    deadline,
  );
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function record(): Recording {
  const lost: MagpieError[] = [];
  const said: string[] = [];
  const say = (...parts: readonly unknown[]): void => {
    said.push(parts.map((part) => `${safeJson(part)} ${inspect(part, { depth: 10 })}`).join(' '));
  };
  const logger = createLineLogger(say);
  const context: AdapterContext = {
    name: 'contract',
    gatewayId: 'gateway-under-test',
    logger,
    clock: systemClock,
    store: memoryStore(),
    lost(error) {
      lost.push(error);
      say(error);
    },
    detail: say,
    count: say,
  };
  return { context, lost, said };
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return ''; // Cyclic values: `inspect` shows them.
  }
}
