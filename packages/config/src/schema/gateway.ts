import { BODY_LIMITS, durationSchema, filePathSchema, sizeSchema } from '@magpie/contract';
import { z } from 'zod';

const bodySize = (): z.ZodType<number, string> =>
  sizeSchema().refine((bytes) => bytes >= 1 && bytes <= BODY_LIMITS.max, {
    error: `expected a size of at most ${BODY_LIMITS.max / 2 ** 20}MiB, which is the largest message the gateway carries`,
  });

const log = z
  .strictObject({
    retain: durationSchema().prefault('7d').describe('How long events are kept in the log.'),
    maxBytes: sizeSchema().prefault('10GiB').describe('Size of the log beyond which the oldest events are removed.'),
  })
  .describe('The durable event log.');

const dedupe = z
  .strictObject({
    window: durationSchema()
      .prefault('10m')
      .describe(
        'How long the identity of a message is remembered, to recognise it when it comes again. Time in which its connection ' +
          'or the gateway is down does not count.',
      ),
    count: z.int().min(1).default(1_000_000).describe('Maximum number of remembered identities.'),
  })
  .describe('The window in which repeated messages are dropped.');

const limits = z
  .strictObject({
    maxBodyBytes: bodySize().prefault('1MiB').describe('Largest message body that is accepted from any source.'),
  })
  .describe('Limits on incoming messages.');

const deadLetters = z
  .strictObject({
    max: z
      .int()
      .min(1)
      .default(100_000)
      .describe(
        'Number of dead letters above which an alarm is raised. The alarm is the only effect: none is removed.',
      ),
  })
  .describe('Failed deliveries. They are kept until an operator retries or drops them.');

/** Schema of the section `gateway`. Keys that are read once, at start, are marked `restart`. */
export const gatewaySchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .meta({ expected: 'a name of letters, digits, ".", "_" and "-", at most 64 long', restart: true })
    .describe(
      'Name of this gateway. It is carried by every message to stop loops, so gateways that exchange messages need different names.',
    ),
  dataDir: filePathSchema()
    .prefault('./data')
    .meta({ restart: true })
    .describe('Directory of the event log. Only one process may use it at a time.'),
  log: log.prefault({}),
  dedupe: dedupe.prefault({}).meta({ restart: true }),
  limits: limits.prefault({}).meta({ restart: true }),
  deadLetters: deadLetters.prefault({}),
});

/** The section `gateway` as loaded: defaults filled in, durations in ms, sizes in bytes, paths absolute. Read by the composition root. */
export type GatewayConfig = z.output<typeof gatewaySchema>;
