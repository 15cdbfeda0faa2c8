import { ConfigInvalid, Transient } from '@magpie/contract';
import type { Declarations } from '../config.ts';
import { errorCode, isQueueOutage, wireReason } from '../errors.ts';
import type { Scratch } from './check-channel.ts';
import type { QueueOutage } from './queue-outages.ts';

/** One thing to declare. */
interface Step {
  /** For messages: `queue "inbox"`. */
  readonly what: string;
  /** JSON pointer within the connection. */
  readonly pointer: string;
  run(scratch: Scratch): Promise<unknown>;
  /** Set for a queue, which may be out of service while its node is down. */
  readonly isQueue?: true;
  /** Whether it exists, where declaring is not permitted. */
  check?(scratch: Scratch): Promise<unknown>;
}

/**
 * Declares exchanges, queues and bindings, in this order, on a scratch channel. Called once per connect. Resolves with
 * the queues that the broker cannot serve at present, which is not a fault of the configuration. Rejects with
 * `ConfigInvalid` naming the exchange or queue and what differs when it exists with other properties, when it cannot be
 * bound or when the user may not declare it; with the library's error when the link is lost.
 */
export async function declare(declarations: Declarations, scratch: Scratch): Promise<QueueOutage[]> {
  for (const step of exchangeSteps(declarations)) await perform(step, scratch);
  const outages: QueueOutage[] = [];
  for (const [queue, steps] of queueSteps(declarations)) {
    const again = async (): Promise<void> => {
      for (const step of steps) await perform(step, scratch);
    };
    try {
      await again();
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      outages.push({ queue, reason: error.message, again });
    }
  }
  return outages;
}

async function perform(step: Step, scratch: Scratch): Promise<void> {
  try {
    await step.run(scratch);
  } catch (error) {
    const code = errorCode(error);
    if (typeof code !== 'number') throw error;
    if (step.isQueue && isQueueOutage(error)) throw new Transient(wireReason(error), { cause: error });
    if (code === 403 && step.check && (await exists(step.check, scratch))) return;
    throw new ConfigInvalid(complaint(step.what, code, wireReason(error)), { pointer: step.pointer, cause: error });
  }
}

async function exists(check: (scratch: Scratch) => Promise<unknown>, scratch: Scratch): Promise<boolean> {
  try {
    await check(scratch);
    return true;
  } catch {
    return false; // Missing as well: the first error says what to do.
  }
}

function complaint(what: string, code: number, reason: string): string {
  const differs = /inequivalent arg '(.*?)'.*received (.*?) but current is (.*)$/s.exec(reason);
  if (differs) {
    const [, name, wanted, current] = differs;
    return `${what} exists with another ${name}: "declare" says ${wanted}, the broker has ${current}. Change "declare" or delete it on the broker`;
  }
  if (code === 403) return `${what} may not be declared by this user and does not exist: ${reason}`;
  return `${what} cannot be declared: ${reason}`;
}

const exchangeSteps = ({ exchanges }: Declarations): Step[] =>
  exchanges.map(({ name, type, ...options }, index) => ({
    what: `exchange "${name}"`,
    pointer: `/declare/exchanges/${index}`,
    run: (scratch) => scratch((channel) => channel.assertExchange(name, type, options)),
    check: (scratch) => scratch((channel) => channel.checkExchange(name)),
  }));

/** The steps of each queue, by its name. */
const queueSteps = ({ queues }: Declarations): [queue: string, steps: Step[]][] =>
  queues.map(({ name, bind, durable, arguments: args }, index) => [
    name,
    [
      {
        isQueue: true,
        what: `queue "${name}"`,
        pointer: `/declare/queues/${index}`,
        run: (scratch) => scratch((channel) => channel.assertQueue(name, { durable, arguments: args })),
        check: (scratch) => scratch((channel) => channel.checkQueue(name)),
      },
      ...bind.map((binding, number) => ({
        isQueue: true as const,
        what: `the binding of queue "${name}" to exchange "${binding.exchange}"`,
        pointer: `/declare/queues/${index}/bind/${number}`,
        run: (scratch: Scratch) =>
          scratch((channel) => channel.bindQueue(name, binding.exchange, binding.routingKey, binding.arguments)),
      })),
    ],
  ]);
