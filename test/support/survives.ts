import type { Field, Header, Message, SourceName, TargetName, Value } from './message.ts';

/** How headers travel: whether names may repeat, and whether values keep their types. */
interface HeaderRule {
  readonly repeat: boolean;
  readonly types: boolean;
}

/** What survives in one direction of a protocol. */
export interface Survival {
  /** Fields that arrive as they were sent. Id, body and headers always do, by `headers`. */
  readonly fields: ReadonlySet<Field>;
  readonly headers: HeaderRule;
}

const EVERYWHERE = [
  ...(['id', 'body', 'contentType', 'headers', 'correlationId', 'replyTo', 'type', 'subject', 'priority'] as const),
  ...(['retain', 'trace', 'via', 'time', 'expiresAt', 'contentEncoding'] as const),
] as const;

const survival = (more: readonly Field[], headers: Partial<HeaderRule> = {}): Survival => ({
  fields: new Set([...EVERYWHERE, ...more]),
  headers: { repeat: true, types: true, ...headers },
});

const XMPP_BOTH = survival([]);

/** What a sender by this protocol can say. */
export const SAYS: Readonly<Record<SourceName, Survival>> = {
  'XMPP chat': XMPP_BOTH,
  'XMPP room': XMPP_BOTH,
  MQTT: survival(['redelivered'], { types: false }),
  AMQP: survival(['redelivered'], { repeat: false }),
  HTTP: survival([]),
};

/** What a reader by this protocol learns. A redelivery mark is about the previous hop: only the log's readers see it. */
export const LEARNS: Readonly<Record<TargetName, Survival>> = {
  'XMPP chat': XMPP_BOTH,
  'XMPP room': XMPP_BOTH,
  MQTT: survival([], { types: false }),
  AMQP: survival([], { repeat: false }),
  WebSocket: survival(['redelivered']),
};

/** What of a message arrives. */
export function survivor(sent: Message, source: SourceName, target: TargetName): Message {
  const { id, body, ...rest } = passed(passed(sent, SAYS[source]), LEARNS[target]);
  return { id, body, headers: [], ...rest };
}

function passed(sent: Message, { fields, headers: rule }: Survival): Message {
  const kept = Object.entries(sent).filter(([name]) => [...fields].some((field) => field === name));
  const { headers = [] } = sent;
  const { id, body } = sent;
  return {
    id,
    body,
    ...Object.fromEntries(kept),
    ...(headers.length > 0 ? { headers: passedHeaders(headers, rule) } : {}),
  };
}

function passedHeaders(headers: readonly Header[], { repeat, types }: HeaderRule): readonly Header[] {
  const typed = types ? headers : headers.map(([name, value]): Header => [name, asText(value)]);
  if (repeat) return typed;
  const byName = Map.groupBy(typed, ([name]) => name);
  return [...byName].map(
    ([name, same]): Header => [name, same.length === 1 ? same[0]![1] : same.map(([, value]) => value)],
  );
}

const asText = (value: Value): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
