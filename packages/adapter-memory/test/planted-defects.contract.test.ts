import { type MemoryConfig, memoryAdapter } from '@magpie/adapter-memory';
import {
  type AdapterContext,
  type AdapterDefinition,
  type Connection,
  NotConnected,
  type SendReceipt,
  type Sink,
  Transient,
} from '@magpie/contract';
import { type CaseName, runContractCase } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memorySuite } from './memory-suite.ts';

type Definition = AdapterDefinition<MemoryConfig, unknown, unknown>;

/** A defect as an adapter's author might make it, and the case that must find it. */
interface Defect {
  readonly defect: string;
  readonly foundBy: readonly CaseName[];
  /** Replaces parts of the definition. */
  readonly definition?: Partial<Definition>;
  /** Replaces what the connection is configured with or told. */
  readonly prepare?: (config: MemoryConfig, context: AdapterContext) => readonly [MemoryConfig, AdapterContext];
  /** Replaces methods of the connection. */
  readonly connection?: (sound: Connection, config: MemoryConfig, context: AdapterContext) => Partial<Connection>;
}

const never = new AbortController().signal;
const receipt: SendReceipt = { confirmedBy: 'broker' };
const withSink = (change: (sink: Sink) => Sink) => (sound: Connection) => ({
  receive: (...[sources, sink]: Parameters<Connection['receive']>) => sound.receive(sources, change(sink)),
});
const withBody = (change: (body: Uint8Array) => Uint8Array) => (sound: Connection) => ({
  send: (...[event, target, signal]: Parameters<Connection['send']>) =>
    sound.send({ ...event, body: change(event.body) }, target, signal),
});
const channel = memoryAdapter.addresses[0]!;

const DEFECTS: readonly Defect[] = [
  {
    defect: 'acknowledges whatever the verdict is',
    foundBy: ['unavailable-redelivered', 'late-unavailable'],
    connection: withSink((sink) => async (batch) => (await sink(batch)).map(() => ({ type: 'stored' }))),
  },
  {
    defect: 'acknowledges before the verdict',
    foundBy: ['pending-redelivered', 'no-overtaking', 'receive-window', 'pending-redelivered-after-cut'],
    connection: withSink((sink) => async (batch) => {
      void sink(batch);
      return batch.map(() => ({ type: 'stored' }));
    }),
  },
  {
    defect: 'never acknowledges a refused message',
    foundBy: ['refused-acknowledged'],
    connection: withSink((sink) => async (batch) => {
      const verdicts = await sink(batch);
      return verdicts.map((verdict) => (verdict.type === 'refused' ? { ...verdict, type: 'unavailable' } : verdict));
    }),
  },
  {
    defect: 'waits for one verdict before handing over the next message',
    foundBy: ['sink-concurrent'],
    connection: withSink((sink) => {
      let last: Promise<unknown> = Promise.resolve();
      return (batch) => {
        const verdicts = last.then(() => sink(batch));
        last = verdicts;
        return verdicts;
      };
    }),
  },
  {
    defect: 'takes more than its window',
    foundBy: ['receive-window'],
    prepare: (config, context) => [{ ...config, window: 10_000 }, context],
  },
  {
    defect: 'loses headers and ids',
    foundBy: ['receive-headers', 'receive-id', 'send-headers', 'send-correlation', 'send-reply-to', 'send-via'],
    prepare: (config, context) => [{ ...config, metadata: false }, context],
  },
  {
    defect: 'takes bodies for text',
    foundBy: ['send-bodies'],
    connection: withBody((body) => Buffer.from(Buffer.from(body).toString())),
  },
  {
    defect: 'cuts bodies that are as large as it claims',
    foundBy: ['send-largest'],
    connection: withBody((body) => body.subarray(0, 500_000)),
  },
  {
    defect: 'does not wait for the confirmation',
    foundBy: ['unknown-outcome', 'send-abort'],
    connection: (sound) => ({
      async send(event, target, signal) {
        sound.send(event, target, signal).catch(() => undefined);
        return receipt;
      },
    }),
  },
  {
    defect: 'queues sends while the link is down',
    foundBy: ['send-while-down', 'send-never-connected'],
    connection: (sound) => {
      const queue: (() => void)[] = [];
      return {
        async connect(signal) {
          await sound.connect(signal);
          for (const flush of queue.splice(0)) flush();
        },
        send: (event, target, signal) =>
          sound.send(event, target, signal).catch(() => {
            queue.push(() => void sound.send(event, target, never).catch(() => undefined));
            return receipt;
          }),
      };
    },
  },
  {
    defect: 'sends nothing while a verdict is missing',
    foundBy: ['send-while-held'],
    connection: (sound) => {
      let verdicts: Promise<unknown> = Promise.resolve();
      return {
        receive: (sources, sink) =>
          sound.receive(sources, (batch) => {
            const given = sink(batch);
            verdicts = Promise.all([verdicts, given]);
            return given;
          }),
        async send(event, target, signal) {
          await verdicts;
          return sound.send(event, target, signal);
        },
      };
    },
  },
  {
    defect: 'sends in any order',
    foundBy: ['send-ordered'],
    connection: (sound) => ({
      async send(event, target, signal) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        return sound.send(event, target, signal);
      },
    }),
  },
  {
    defect: 'says that the link is at fault when a place refuses',
    foundBy: ['refusing-place'],
    connection: (sound) => ({
      send: (event, target, signal) =>
        sound.send(event, target, signal).catch((error: unknown) => {
          throw error instanceof Transient ? new NotConnected(error.message) : error;
        }),
    }),
  },
  {
    defect: 'hands over what it then forgets',
    foundBy: ['send-posted'],
    connection: () => ({ post: () => true }),
  },
  {
    defect: 'ignores the signal',
    foundBy: ['connect-aborted', 'connect-abort', 'send-aborted', 'send-abort', 'probe-silent'],
    connection: (sound) => ({
      connect: () => sound.connect(never),
      send: (event, target) => sound.send(event, target, never),
      probe: () => sound.probe(never),
    }),
  },
  {
    defect: 'takes an open socket for health',
    foundBy: ['probe-silent', 'send-while-down'],
    connection: () => ({ probe: async () => undefined }),
  },
  {
    defect: 'reports a lost link twice',
    foundBy: ['lost-once'],
    prepare: (config, context) => [
      config,
      {
        ...context,
        lost(error) {
          context.lost(error);
          context.lost(error);
        },
      },
    ],
  },
  {
    defect: 'does not report a lost link',
    foundBy: ['lost-once', 'restart-receiving'],
    prepare: (config, context) => [config, { ...context, lost: () => undefined }],
  },
  {
    defect: 'reports a goodbye as a lost link',
    foundBy: ['open-close'],
    connection: (sound, _config, context) => ({
      async close(signal) {
        await sound.close(signal);
        await sound.probe(never).catch((error) => context.lost(error));
      },
    }),
  },
  {
    defect: 'goes on receiving after quiesce',
    foundBy: ['quiesce', 'quiesce-keeps'],
    connection: () => ({ quiesce: async () => undefined }),
  },
  {
    defect: 'adds sources instead of replacing them',
    foundBy: ['receive-replaces'],
    connection: (sound) => {
      const all: Parameters<Connection['receive']>[0][number][] = [];
      return {
        receive: (sources, sink) => {
          all.push(...sources);
          return sound.receive(all, sink);
        },
      };
    },
  },
  {
    defect: 'logs its password',
    foundBy: ['secrets-hidden'],
    connection: (sound, config, context) => ({
      connect(signal) {
        context.logger.debug({ reason: `the password is ${config.password?.reveal()}` }, 'connecting');
        return sound.connect(signal);
      },
    }),
  },
  {
    defect: 'leaves a timer behind',
    foundBy: ['no-handles'],
    connection: (sound) => ({
      connect(signal) {
        setTimeout(() => undefined, 3_000);
        return sound.connect(signal);
      },
    }),
  },
  {
    defect: 'leaves a listener on each signal',
    foundBy: ['no-listeners'],
    connection: (sound) => ({
      send(event, target, signal) {
        signal.addEventListener('abort', () => undefined);
        return sound.send(event, target, signal);
      },
    }),
  },
  {
    defect: 'hangs in close on a silent link',
    foundBy: ['close-silent'],
    connection: (sound) => ({ close: () => sound.close(never) }),
  },
  {
    defect: 'has a key without a description',
    foundBy: ['schemas-documented'],
    definition: { targetSchema: z.strictObject({ channel: z.string() }) },
  },
  {
    defect: 'accepts unknown keys',
    foundBy: ['schemas-documented'],
    definition: { sourceSchema: z.object({ channel: z.string().describe('Channel to receive from.') }) },
  },
  {
    defect: 'lets a substituted value add segments and wildcards',
    foundBy: ['address-encoding'],
    definition: { addresses: [{ ...channel, encode: (value) => value }] },
  },
  {
    defect: 'writes addresses that it cannot read',
    foundBy: ['address-round-trip'],
    definition: { addresses: [{ ...channel, format: (segments) => segments.join('/').toLowerCase().trim() }] },
  },
  {
    defect: 'lets everyone use every route',
    foundBy: ['access'],
    definition: { access: { open: true, validate: () => undefined, permits: () => true } },
  },
];

it('finds a capability that is claimed while its cases are declared unsupported', async () => {
  const suite = { ...memorySuite, unsupported: { 'send-via': 'this protocol has no headers' } };
  await expect(runContractCase(suite, 'capabilities')).rejects.toThrow('send-via');
  await runContractCase(memorySuite, 'capabilities');
});

describe('the adapter contract finds', () => {
  for (const planted of DEFECTS) {
    for (const name of planted.foundBy) {
      it(`an adapter that ${planted.defect} [${name}]`, async () => {
        const limits = { ...memorySuite.limits, deadline: 600 };
        const suite = { ...memorySuite, limits, definition: spoil(planted) };
        await expect(runContractCase(suite, name)).rejects.toThrow();
        await expect(runContractCase({ ...memorySuite, limits }, name)).resolves.toBeUndefined();
      });
    }
  }
});

/** The sound adapter with the defect planted. */
function spoil({ definition, prepare, connection }: Defect): Definition {
  return {
    ...memoryAdapter,
    ...definition,
    create(config, context) {
      const [usedConfig, usedContext] = prepare?.(config, context) ?? [config, context];
      const sound = memoryAdapter.create(usedConfig, usedContext);
      return { ...sound, ...connection?.(sound, usedConfig, usedContext) };
    },
  };
}
