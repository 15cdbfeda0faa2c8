import {
  type AdapterContext,
  type Connection,
  type MagpieError,
  NotConnected,
  type SendReceipt,
  TooLarge,
  throwIfAborted,
} from '@magpie/contract';
import { abortable } from './abortable.ts';
import { brokerServer } from './broker.ts';
import type { MemoryClient } from './client.ts';
import { encodeMessage, type LinkFacts } from './codec.ts';
import type { MemoryConfig } from './config.ts';
import { createReceiver } from './receive.ts';

/** Makes a connection; nothing happens before `connect`. Called by the definition's `create`. */
export function createConnection(config: MemoryConfig, context: AdapterContext): Connection {
  const broker = brokerServer(config.broker);
  const clientId = config.clientId ?? `${context.gatewayId}/${context.name}`;
  /** The established link; undefined while there is none. */
  let client: MemoryClient | undefined;
  /** Ends a connect in progress. */
  let attempt = new AbortController();

  const lose = (error: MagpieError): void => {
    client = undefined;
    context.lost(error);
  };
  const link = (): MemoryClient => {
    if (client?.up) return client;
    throw new NotConnected(`connection "${context.name}" has no link to the in-memory broker "${config.broker}"`);
  };
  const facts = ({ epoch }: MemoryClient): LinkFacts => ({ clientId, epoch, metadata: config.metadata });

  return {
    async connect(signal) {
      throwIfAborted(signal);
      attempt = new AbortController();
      const ended = AbortSignal.any([signal, attempt.signal]);
      const connecting = broker.connect({ clientId, password: config.password }, lose);
      client = await abortable(ended, () => connecting).catch((error: unknown) => {
        connecting.then((late) => late.destroy()).catch(() => undefined); // The caller has its error already.
        throw error;
      });
    },
    async receive(sources, sink) {
      const current = link();
      const deliver = createReceiver({ client: current, facts: facts(current), sink, context, lose });
      await current.subscribe(
        sources.map(({ pattern }) => pattern),
        config.window,
        deliver,
      );
    },
    async send(event, target, signal): Promise<SendReceipt> {
      const current = link();
      checkSize(event.body, config.maxBodyBytes);
      await abortable(signal, () => current.publish(encodeMessage(event, target, facts(current))));
      return { confirmedBy: 'broker' };
    },
    async probe(signal) {
      const current = link();
      await abortable(signal, () => current.ping());
    },
    async quiesce(signal) {
      if (client?.up) await abortable(signal, client.pause);
    },
    async close(signal) {
      attempt.abort();
      const closing = client;
      client = undefined;
      if (!closing?.up) return;
      try {
        await abortable(signal, closing.close);
      } catch {
        closing.destroy(); // The goodbye did not come through in time: cut.
      }
    },
  };
}

function checkSize(body: Uint8Array, limit: number): void {
  if (body.length <= limit) return;
  throw new TooLarge(`a body of ${body.length} bytes, more than the ${limit} of this connection (maxBodyBytes)`);
}
