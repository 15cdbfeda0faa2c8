import type { Clock } from '@magpie/contract';
import type { Intake } from './intake.ts';
import type { Ledger } from './ledger.ts';
import type { Outlet } from './outlet.ts';
import type { Router } from './router.ts';
import type { Supervisor } from './supervisor.ts';

interface DrainDeps {
  readonly supervisors: ReadonlyMap<string, Supervisor>;
  readonly outlets: ReadonlyMap<string, Outlet>;
  readonly intake: Intake;
  readonly router: Router;
  readonly ledger: Ledger;
  /** Ends the waiting for confirmations. */
  readonly patience: AbortController;
  readonly clock: Clock;
  /** Fires when time is up. */
  readonly signal: AbortSignal;
}

/** How long sends in flight may take to be confirmed once sending has stopped, and the rest of the time for flushing. */
const FLUSH_MS = 4000;
const LANDING_MS = 2000;

/**
 * Ordered shutdown: take nothing in, commit what was taken, flush what can be sent, let sends in flight land, remember the
 * floors, say goodbye. What is not delivered stays in the log.
 */
export async function drain(deps: DrainDeps): Promise<void> {
  const { supervisors, outlets, intake, router, ledger, patience, signal } = deps;
  await Promise.all([...supervisors.values()].map((each) => each.quiesce(signal)));
  await intake.settled();
  await until(() => [...outlets.values()].every((each) => isFlushed(each, supervisors)), FLUSH_MS, deps);
  router.stop();
  for (const outlet of outlets.values()) outlet.stop();
  await until(() => [...outlets.values()].every((each) => each.load().flying === 0), LANDING_MS, deps);
  patience.abort();
  await ledger.flush();
  ledger.close();
  await Promise.all([...supervisors.values()].map((each) => each.close(signal)));
}

/** Nothing more to wait for: everything is sent, or it cannot be sent now. */
function isFlushed(outlet: Outlet, supervisors: ReadonlyMap<string, Supervisor>): boolean {
  const { waiting, flying, lagging, suspended } = outlet.load();
  const stuck = suspended || !supervisors.get(outlet.target.connection)?.up();
  return flying === 0 && (stuck || (waiting <= 0 && !lagging));
}

async function until(condition: () => boolean, ms: number, { clock, signal }: DrainDeps): Promise<void> {
  const deadline = clock.monotonic() + ms;
  while (!condition() && !signal.aborted && clock.monotonic() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
