import { type AnyAdapter, defineAdapter, filePathSchema, pathScheme, secretSchema } from '@magpie/contract';
import { z } from 'zod';

const link = {
  connect: async () => undefined,
  receive: async () => undefined,
  send: async () => ({ confirmedBy: 'nothing' }),
  probe: async () => undefined,
  quiesce: async () => undefined,
  close: async () => undefined,
};

const guarantee = { level: 'at-least-once', reason: 'a sample' } as const;

/** An adapter without a link: only its connection schema matters. */
export const adapter = (type: string, connectionSchema: z.ZodObject): AnyAdapter =>
  defineAdapter({
    type,
    connectionSchema,
    sourceSchema: z.strictObject({ topic: z.string() }),
    targetSchema: z.strictObject({ topic: z.string() }),
    originSchema: z.object({}),
    addresses: [pathScheme({ scheme: 'topic', word: 'topic', separator: '/', maxBytes: 100 })],
    kinds: ['message'],
    capabilities: () => ({
      receives: true,
      sends: true,
      fifoWindow: 1,
      sendsWhileHeld: true,
      metadata: true,
      maxBodyBytes: 1000,
    }),
    guarantees: { source: () => guarantee, target: () => guarantee },
    create: () => link,
  });

/** A protocol with every kind of setting a real one has: secrets, files, numbers, choices, nested lists. */
export const sampleAdapters: readonly AnyAdapter[] = [
  adapter(
    'sample',
    z.strictObject({
      url: z.string().meta({ expected: 'a URL such as "sample://host:1234"' }).describe('Where the server is.'),
      password: secretSchema().optional().describe('What it asks for.'),
      keepAlive: z.int().min(1).max(600).default(30).describe('Seconds between pings.'),
      version: z
        .union([z.literal(5), z.literal('3.1')])
        .default(5)
        .describe('Of the protocol.'),
      clean: z.boolean().default(false).describe('Whether to start anew.'),
      mode: z.enum(['fast', 'careful']).default('careful').describe('How to send.'),
      tls: z
        .strictObject({ ca: filePathSchema().optional().describe('Certificates to trust.') })
        .optional()
        .describe('Encryption.'),
      rooms: z
        .array(z.strictObject({ room: z.string().describe('Its address.'), nick: z.string().optional() }))
        .default([])
        .describe('Rooms to join.'),
    }),
  ),
  { ...adapter('http', z.strictObject({})), builtIn: true },
];
