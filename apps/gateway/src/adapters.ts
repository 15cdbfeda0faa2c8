import { amqpAdapter } from '@magpie/adapter-amqp';
import { memoryAdapter } from '@magpie/adapter-memory';
import { mqttAdapter } from '@magpie/adapter-mqtt';
import { xmppAdapter } from '@magpie/adapter-xmpp';
import { httpAdapter } from '@magpie/api';
import type { AnyAdapter } from '@magpie/contract';

/** Every adapter of this gateway. A new protocol is one more line. */
export const ADAPTERS: readonly AnyAdapter[] = [mqttAdapter, xmppAdapter, amqpAdapter, httpAdapter, memoryAdapter];

/** Names of the connections that always exist and have no link of their own. */
export const BUILT_INS: ReadonlySet<string> = new Set(
  ADAPTERS.filter(({ builtIn }) => builtIn).map(({ type }) => type),
);
