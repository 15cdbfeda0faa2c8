import { type Clock, sleep } from '@magpie/contract';
import type { Connections } from './connections/connections.ts';
import type { DeadLetters } from './gateway-api/index.ts';
import type { Intake } from './intake/intake.ts';
import type { StateWriter } from './log-access/state-writer.ts';
import type { Replies } from './replies/replies.ts';
import type { Router } from './router/router.ts';
import type { Targets } from './targets/targets.ts';
import type { BestEffortSenders } from './unlogged/best-effort-sender.ts';

interface ShutdownDeps {
  readonly connections: Connections;
  readonly targets: Targets;
  readonly unlogged: BestEffortSenders;
  readonly deadLetters: DeadLetters;
  readonly intake: Intake;
  readonly router: Router;
  readonly replies: Pick<Replies, 'stop'>;
  readonly writer: StateWriter;
  /** Ends the waiting for confirmations. */
  readonly confirmWait: AbortController;
  readonly clock: Clock;
  /** Fires when time is up. */
  readonly signal: AbortSignal;
}

/** How long each step may take, in ms. */
const MATCHING_MS = 1000;
const FLUSH_MS = 4000;
const LANDING_MS = 2000;
const REMEMBERING_MS = 1500;

/** Writes what has gathered, and then the floors, which may pass what has been written down. */
async function writeAll(writer: Pick<StateWriter, 'flush'>): Promise<void> {
  await writer.flush();
  await writer.flush();
}

/**
 * Ordered shutdown: take nothing in, commit what was taken, flush what can be sent, let sends in flight land, remember the
 * floors, say goodbye. What is not delivered stays in the log.
 */
export async function shutDown(deps: ShutdownDeps): Promise<void> {
  const { connections, targets, unlogged, deadLetters, intake, router, replies, writer, confirmWait, clock, signal } =
    deps;
  const queues = targets.queues();
  const atMost = (ms: number, work: Promise<unknown>): Promise<unknown> =>
    Promise.race([work, sleep(clock, ms, signal)]);
  await connections.quiesce(signal);
  await intake.settled();
  await atMost(MATCHING_MS, router.caughtUp());
  await atMost(FLUSH_MS, Promise.all(queues.map((queue) => queue.flushed())));
  router.stop();
  replies.stop();
  deadLetters.stop();
  for (const queue of queues) queue.stop();
  for (const sender of unlogged.all()) sender.stop();
  await atMost(LANDING_MS, Promise.all(queues.map((queue) => queue.landed())));
  for (const queue of queues) queue.putAside();
  confirmWait.abort();
  // On a disk without any room it would wait for ever: what is not remembered is sent again.
  await atMost(REMEMBERING_MS, writeAll(writer));
  writer.close();
  await connections.close(signal);
}
