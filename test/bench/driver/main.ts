import { amqpSink, amqpSource } from './ends/amqp-ends.ts';
import type { Listener, Sink, Source } from './ends/ends.ts';
import { httpSource } from './ends/http-ends.ts';
import { mqttSink, mqttSource } from './ends/mqtt-ends.ts';
import { websocketSink } from './ends/websocket-ends.ts';
import { xmppSink, xmppSource } from './ends/xmpp-ends.ts';
import { createGathering, type Gathering } from './gather.ts';
import { createLoad, type Load } from './load.ts';
import type { DriverCalls, LoadSpecification } from './specification.ts';

/**
 * The generator and the sink, in a process of its own. Started by `driver/client.ts`, which sends it one call after the other
 * by IPC and gets `{ result }` or `{ error }` for each.
 */

interface Open extends Load {
  close(): void;
}

const open = new Map<string, Open>();
const gatherings = new Map<string, Gathering & { close(): void }>();

async function openLoad({ source, sink, body, copies, bystanders }: LoadSpecification): Promise<Open> {
  let input: Source | undefined;
  const load = createLoad(() => input!, copies);
  // Until the source is there, nothing can be sent.
  const listener: Listener = { ...load.listener, settled: () => input && load.listener.settled() };
  const output = await openSink(sink, listener);
  const others = bystanders && (await openSink(bystanders, { ...listener, arrived: () => undefined }));
  input = await openSource(source, body, sink.kind === 'answers', listener);
  return {
    ...load,
    close: () => {
      input?.close();
      others?.close();
      output.close();
    },
  };
}

function openSource(source: LoadSpecification['source'], body: number, answers: boolean, listener: Listener) {
  switch (source.kind) {
    case 'mqtt':
      return mqttSource(source, body, listener);
    case 'amqp':
      return amqpSource(source, body, listener);
    case 'http':
      return httpSource(source, body, answers, listener);
    case 'xmpp':
      return xmppSource(source, body, listener);
  }
}

async function openSink(sink: LoadSpecification['sink'], listener: Listener): Promise<Sink> {
  switch (sink.kind) {
    case 'mqtt':
      return mqttSink(sink, listener);
    case 'amqp':
      return amqpSink(sink, listener);
    case 'websocket':
      return websocketSink(sink, listener);
    case 'xmpp':
      return xmppSink(sink, listener);
    case 'answers':
      return { close: () => undefined };
  }
}

function openOf<T>(all: ReadonlyMap<string, T>, id: string): T {
  const found = all.get(id);
  if (!found) throw new Error(`nothing is open as "${id}"`);
  return found;
}

const CALLS: { [K in keyof DriverCalls]: (order: DriverCalls[K]['order']) => Promise<DriverCalls[K]['result']> } = {
  open: async ({ id, load }) => {
    open.set(id, await openLoad(load));
    return null;
  },
  throughput: async ({ id, ...order }) => openOf(open, id).throughput(order),
  latency: async ({ id, ...order }) => openOf(open, id).latency(order),
  gather: async ({ id, sink, count }) => {
    const gathering = createGathering(count);
    gatherings.set(id, { ...gathering, close: (await openSink(sink, gathering.listener)).close });
    return null;
  },
  gathered: async ({ id, ...order }) => openOf(gatherings, id).wait(order),
  close: async ({ id }) => {
    for (const all of [open, gatherings]) {
      all.get(id)?.close();
      all.delete(id);
    }
    return null;
  },
};

async function answer({ call, order }: { call: keyof DriverCalls; order: never }): Promise<void> {
  try {
    process.send?.({ result: await CALLS[call](order) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
}

process.on('message', (message: { call: keyof DriverCalls; order: never }) => void answer(message));
process.on('disconnect', () => process.exit());
