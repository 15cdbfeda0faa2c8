import type { Clock } from '@magpie/contract';
import type { DeliveryQueue } from './delivery/delivery-queue.ts';
import type { DeadLetters } from './gateway-api.ts';
import type { Intake } from './intake/intake.ts';
import type { StateWriter } from './log/state-writer.ts';
import type { Router } from './router/router.ts';
import type { Topology } from './targets/targets.ts';

interface DrainDeps {
  readonly topology: Topology;
  readonly deadLetters: DeadLetters;
  readonly intake: Intake;
  readonly router: Router;
  readonly writer: StateWriter;
  /** Ends the waiting for confirmations. */
  readonly confirmWait: AbortController;
  readonly clock: Clock;
  /** Fires when time is up. */
  readonly signal: AbortSignal;
}

/** How long sends in flight may take to be confirmed once sending has stopped, and the rest of the time for flushing. */
const FLUSH_MS = 4000;
const LANDING_MS = 2000;

/** How long remembering what was confirmed may take. */
const REMEMBERING_MS = 1500;

/** How long matching what was taken may take. */
const MATCHING_MS = 1000;

/**
 * Ordered shutdown: take nothing in, commit what was taken, flush what can be sent, let sends in flight land, remember the
 * floors, say goodbye. What is not delivered stays in the log.
 */
export async function drain(deps: DrainDeps): Promise<void> {
  const { topology, deadLetters, intake, router, writer, confirmWait, signal } = deps;
  const [supervisors, queues] = [topology.supervisors(), topology.queues()];
  await Promise.all(supervisors.map((each) => each.quiesce(signal)));
  await intake.settled();
  await Promise.race([router.caughtUp(), new Promise((resolve) => setTimeout(resolve, MATCHING_MS))]);
  await until(() => queues.every((each) => isFlushed(each, topology)), FLUSH_MS, deps);
  router.stop();
  deadLetters.stop();
  for (const queue of queues) queue.stop();
  for (const bestEffort of topology.bestEffortSenders()) bestEffort.stop();
  await until(() => queues.every((each) => each.load().flying === 0), LANDING_MS, deps);
  confirmWait.abort();
  // On a disk without any room it would wait for ever: what is not remembered is sent again.
  await Promise.race([writer.flush(), new Promise((resolve) => setTimeout(resolve, REMEMBERING_MS))]);
  writer.close();
  await Promise.all(supervisors.map((each) => each.close(signal)));
}

/** Nothing more to wait for: everything is sent, or it cannot be sent now. */
function isFlushed(queue: DeliveryQueue, topology: Topology): boolean {
  const { waiting, flying, lagging, suspended } = queue.load();
  const stuck = suspended || !topology.isUp(queue.target.connection);
  return flying === 0 && (stuck || (waiting <= 0 && !lagging));
}

async function until(condition: () => boolean, ms: number, { clock, signal }: DrainDeps): Promise<void> {
  const deadline = clock.monotonic() + ms;
  while (!condition() && !signal.aborted && clock.monotonic() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
