import {
  type Connection,
  type MagpieError,
  nullLogger,
  type OutgoingEvent,
  type ReceivedEvent,
  type SendReceipt,
  type SourceRequest,
  systemClock,
  type Verdict,
} from '@magpie/contract';
import { memoryStore, type ScriptedServer, scriptedServer } from '@magpie/testkit';
import { onTestFinished } from 'vitest';
import { connectionSchema } from '../../src/config.ts';
import { xmppAdapter } from '../../src/index.ts';
import { PASSWORD } from './fake-xmpp.ts';

export const NEVER: AbortSignal = new AbortController().signal;

/** A connection of the adapter with what it reported. */
export interface TestLink {
  readonly connection: Connection;
  readonly lost: MagpieError[];
  readonly details: Map<string, string | undefined>;
  /** The parts that are in trouble. */
  readonly troubled: Set<string>;
}

/** Makes a connection from keys as a user writes them. */
export function makeLink(keys: Readonly<Record<string, unknown>>, store = memoryStore()): TestLink {
  const lost: MagpieError[] = [];
  const details = new Map<string, string | undefined>();
  const troubled = new Set<string>();
  const config = connectionSchema.parse(keys);
  const connection = xmppAdapter.create(config, {
    name: 'chat',
    gatewayId: 'magpie',
    logger: nullLogger,
    clock: systemClock,
    store,
    lost: (error) => lost.push(error),
    detail(part, state, trouble) {
      details.set(part, state);
      if (state !== undefined && trouble) troubled.add(part);
      else troubled.delete(part);
    },
    count: () => undefined,
  });
  return { connection, lost, details, troubled };
}

/** A scripted server on loopback and a connection to it without TLS. Both end with the test. */
export async function fakeLink(
  script: Parameters<typeof scriptedServer>[0],
  keys: Readonly<Record<string, unknown>> = {},
  store = memoryStore(),
): Promise<TestLink & { readonly server: ScriptedServer }> {
  const server = await scriptedServer(script);
  const url = `xmpp://127.0.0.1:${server.port}`;
  const login = { jid: 'user@localhost', password: PASSWORD, url, tls: { required: false }, timeout: '2s' };
  const link = makeLink({ ...login, ...keys }, store);
  onTestFinished(async () => {
    await link.connection.close(AbortSignal.abort());
    await server.close();
  });
  return { ...link, server };
}

/** Receives one-to-one messages from anybody at localhost. */
export const FROM_ANYBODY: SourceRequest = {
  pattern: { scheme: 'jid', segments: [{ type: 'one' }, { type: 'literal', value: 'localhost' }] },
  options: {},
};

export const fromRoom = (local: string, domain: string): SourceRequest => ({
  pattern: {
    scheme: 'room',
    segments: [
      { type: 'literal', value: local },
      { type: 'literal', value: domain },
    ],
  },
  options: {},
});

/** A sink whose calls are answered by the test. */
export function manualSink() {
  const calls: {
    readonly texts: string[];
    readonly events: readonly ReceivedEvent[];
    answer(verdict?: Verdict): void;
    /** Stored, and each is delivered when its promise says so. */
    answerEach(delivered: readonly Promise<boolean>[]): void;
  }[] = [];
  return {
    calls,
    sink: (batch: readonly ReceivedEvent[]) => {
      const { promise, resolve } = Promise.withResolvers<Verdict[]>();
      const answer = (verdict: Verdict = { type: 'stored' }): void => resolve(batch.map(() => verdict));
      const answerEach = (delivered: readonly Promise<boolean>[]): void =>
        resolve(delivered.map((each) => ({ type: 'stored', delivered: each })));
      calls.push({ texts: batch.map(textOf), events: batch, answer, answerEach });
      return promise;
    },
  };
}

export const textOf = ({ body }: { readonly body: Uint8Array }): string => Buffer.from(body).toString();

/** Sends a text to `jid:peer@localhost` or to a room. */
export function sendText(
  connection: Connection,
  text: string,
  scheme: 'contact' | 'jid' | 'room' = 'jid',
  place = ['peer', 'localhost'],
  options: object = {},
): Promise<SendReceipt> {
  const name = text.slice(0, 30);
  const event: OutgoingEvent = {
    id: name,
    ref: name,
    delivery: `delivery-${name}`,
    body: Buffer.from(text),
    headers: [],
    via: [],
    time: Date.now(),
    redelivered: false,
  };
  return connection.send(event, { address: { scheme, segments: place }, options }, NEVER);
}
