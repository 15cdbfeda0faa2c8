import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '@magpie/contract';
import { waitReady } from '../../../support/gateway-process.ts';
import type { LedgerReport } from '../../../support/ledger.ts';
import type { Row } from '../../runner/results.ts';
import type { Fault } from '../faults/faults.ts';
import { times } from '../settings.ts';
import type { World } from '../world.ts';
import { type Flow, startFlow } from './flow.ts';
import { describeGateway, noticed, residentMegabytes } from './probe.ts';

/** How messages flow, and how long they may take. Times in ms. */
export interface LoadOptions {
  /** Between two messages of one of the ten keys of a path. Default 50: 200 messages a second. */
  readonly pause?: number;
  /** Longest time until messages flow again on every path. Default 5,000, from the moment the fault is healed. */
  readonly resumeWithin?: number;
  /** Longest time until everything acknowledged has arrived. Default 20,000. */
  readonly settleWithin?: number;
}

/** What a fault showed beside the ledgers. */
export interface Observed {
  /** ms until the gateway noticed. */
  readonly noticed?: number | undefined;
  /** Messages of each flow that were excused. */
  readonly excused?: readonly number[];
}

/**
 * For a gateway that is away again and again: the brokers keep what is sent meanwhile, and in the long form that
 * is much to work off before the newest message has its turn.
 */
export const OFTEN_AWAY: LoadOptions = { resumeWithin: times(5000, 60_000), settleWithin: times(20_000, 120_000) };

/** Where the target is slow by itself, what was kept meanwhile takes longer to work off before the newest has its turn. */
const patience = ({ path }: Flow): number => (path.slowness > 1 ? 2 : 1);

const WARM_UP = { messages: 20, ms: 15_000 };

/** Lets messages flow on all paths, disturbs them, and counts what became of the messages: a row per path. */
export async function underLoad(
  world: World,
  fault: string,
  disturb: (flows: readonly Flow[]) => Promise<Observed>,
  options: LoadOptions = {},
): Promise<Row[]> {
  const { pause = 50, resumeWithin = 5000, settleWithin = 20_000 } = options;
  const flows = world.paths.map((path) => startFlow(path, pause));
  const stop = (): Promise<unknown> => Promise.all(flows.map((flow) => flow.stop()));
  try {
    await Promise.all(flows.map((flow) => flow.arrived(WARM_UP.messages, WARM_UP.ms)));
    const observed = await disturb(flows);
    const resumed = await Promise.all(flows.map((flow) => timed(() => flow.resumed(resumeWithin * patience(flow)))));
    await stop();
    const reports = await Promise.all(flows.map((flow) => flow.settle(settleWithin)));
    const rss = await residentMegabytes(world.gateway.pid);
    const rowOf = ({ path }: Flow, index: number): Row => ({
      ...{ fault, path: path.name, rss, noticed: observed.noticed, resumed: resumed[index] },
      ...{ ...counts(reports[index]!), excused: observed.excused?.[index] ?? 0 },
    });
    return flows.map(rowOf);
  } catch (error) {
    throw new Error(`${fault}: ${errorMessage(error)}\n${await describeGateway(world)}`, { cause: error });
  } finally {
    await stop().catch(() => undefined); // what went wrong first says more
  }
}

const counts = ({ acked, lost, duplicates, takenInAgain, disordered }: LedgerReport) => ({
  ...{ acked, duplicates, takenInAgain, lost: lost.length, disordered: disordered.length },
});

/** What a trial expects besides the ledger. Times in ms. */
export interface TrialOptions extends LoadOptions {
  /** Messages that each path of usual speed that is not hit must deliver while the fault lasts. Default 0. */
  readonly meanwhile?: number;
  /**
   * ms before its death within which a broker has not saved what it acknowledged (Mosquitto). Nor does Mosquitto keep for
   * a session that it has restored what arrives before that client is back (2.0.11). The gateway never saw such messages:
   * those that do not arrive are excused.
   */
  readonly forgets?: number;
}

/** Injects a fault under load, leaves it for its time and heals it. */
export function trial(world: World, fault: Fault, options: TrialOptions = {}): Promise<Row[]> {
  const { forgets, meanwhile = 0, ...load } = options;
  const disturb = async (flows: readonly Flow[]): Promise<Observed> => {
    const over = new AbortController();
    const seen = noticed(world, fault.hits, over.signal);
    const died = performance.now();
    await fault.inject();
    const others = flows.filter(({ path }) => !path.uses.includes(fault.hits));
    try {
      await Promise.all([
        sleep(fault.lasts),
        ...others.map((flow) => flow.arrived(Math.floor(meanwhile / flow.path.slowness), fault.lasts)),
      ]);
    } finally {
      await fault.heal(); // the next trial starts with everything well, whatever became of this one
      over.abort();
    }
    if (forgets === undefined) return { noticed: await seen };
    await waitReady(world.gateway);
    const fed = flows.map(({ path, ledger }) => (path.source === fault.hits ? ledger : undefined));
    const excused = fed.map((ledger) => ledger?.excuse(performance.now() - died + forgets) ?? 0);
    return { excused, noticed: await seen };
  };
  return underLoad(world, fault.name, disturb, load);
}

async function timed(action: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}
