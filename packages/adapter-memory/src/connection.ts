import { untilAborted } from '@magpie/adapter-kit';
import { type AdapterContext, type Connection, type SendReceipt, throwIfAborted } from '@magpie/contract';
import type { MemoryClient } from './broker/client.ts';
import type { LinkFacts } from './codec/decode.ts';
import { encodeMessage } from './codec/encode.ts';
import type { MemoryConfig } from './config.ts';
import { createLink } from './link/link.ts';
import { createReceiver } from './receive/intake.ts';

/** Makes a connection; nothing happens before `connect`. Called by the definition's `create`. */
export function createConnection(config: MemoryConfig, context: AdapterContext): Connection {
  const clientId = config.clientId ?? `${context.gatewayId}/${context.name}`;
  const link = createLink(config, clientId, context);
  const facts = ({ epoch }: MemoryClient): LinkFacts => ({ clientId, epoch, metadata: config.metadata });

  return {
    connect: link.open,
    async receive(sources, sink) {
      const current = link.current();
      const deliver = createReceiver({ client: current, facts: facts(current), sink, context, lose: link.lose });
      await current.subscribe(
        sources.map(({ pattern }) => pattern),
        config.window,
        deliver,
      );
    },
    async send(event, target, signal): Promise<SendReceipt> {
      const current = link.current();
      throwIfAborted(signal);
      await untilAborted(current.publish(encodeMessage(event, target, facts(current))), signal);
      return { confirmedBy: 'broker' };
    },
    async probe(signal) {
      const current = link.current();
      await untilAborted(current.ping(), signal);
    },
    quiesce: link.pause,
    close: link.close,
  };
}
