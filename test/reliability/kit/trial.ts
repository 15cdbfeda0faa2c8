import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '@magpie/contract';
import type { Fault } from './faults.ts';
import { type Flow, startFlow } from './flow.ts';
import { describeGateway, noticed, residentMegabytes } from './probe.ts';
import type { Row } from './table.ts';
import type { World } from './world.ts';

/** What a trial expects besides the ledger. Times in ms. */
export interface TrialOptions {
  /** Longest time until messages flow again on every path. Default 5,000, from the moment the broker answers again. */
  readonly resumeWithin?: number;
  /** Messages that each path not hit must still deliver while the fault lasts. Default 0: not looked at. */
  readonly meanwhile?: number;
  /**
   * A broker that acknowledges a message before it has saved it (Mosquitto) forgets, when killed, what it acknowledged
   * in this time before. The gateway never saw those messages, or had not yet acknowledged them: they are not counted.
   */
  readonly unsaved?: number;
  /** Longest time until everything acknowledged has arrived. Default 20,000. */
  readonly settleWithin?: number;
}

const WARM_UP = { messages: 20, ms: 15_000 };

/** Lets messages flow on all paths, injects a fault, heals it, and counts what became of the messages: a row per path. */
export async function trial(world: World, fault: Fault, options: TrialOptions = {}): Promise<Row[]> {
  const flows = world.paths.map(startFlow);
  try {
    return await observe(world, flows, fault, options);
  } catch (error) {
    throw new Error(`${fault.name}: ${errorMessage(error)}\n${await describeGateway(world)}`, { cause: error });
  } finally {
    await Promise.all(flows.map((flow) => flow.stop()));
  }
}

async function observe(world: World, flows: readonly Flow[], fault: Fault, options: TrialOptions): Promise<Row[]> {
  const { resumeWithin = 5000, settleWithin = 20_000, unsaved = 0, meanwhile = 0 } = options;
  await Promise.all(flows.map((flow) => flow.arrived(WARM_UP.messages, WARM_UP.ms)));
  const over = new AbortController();
  const seen = noticed(world, fault.hits, over.signal);
  await fault.inject();
  const excused = flows.map((flow) => (unsaved > 0 ? flow.ledger.excuse(unsaved) : 0));
  const others = flows.filter(({ path }) => !path.uses.includes(fault.hits));
  await Promise.all([sleep(fault.lasts), ...others.map((flow) => flow.arrived(meanwhile, fault.lasts))]);
  await fault.heal();
  const resumed = await Promise.all(flows.map((flow) => timed(() => flow.resumed(resumeWithin)))).finally(() =>
    over.abort(),
  );
  await Promise.all(flows.map((flow) => flow.stop()));
  const reports = await Promise.all(flows.map((flow) => flow.settle(settleWithin)));
  const measured = { noticed: await seen, rss: await residentMegabytes(world.gateway.pid) };
  return flows.map((flow, index) =>
    row(fault, flow, reports[index]!, { ...measured, excused: excused[index]!, resumed: resumed[index] }),
  );
}

function row(
  fault: Fault,
  { path }: Flow,
  { acked, lost, duplicates, takenInAgain, disordered }: Awaited<ReturnType<Flow['settle']>>,
  measured: Pick<Row, 'excused' | 'noticed' | 'resumed' | 'rss'>,
): Row {
  const counts = { acked, lost: lost.length, duplicates, takenInAgain, disordered: disordered.length };
  const hit = path.uses.includes(fault.hits);
  return { fault: fault.name, path: path.name, ...counts, ...measured, noticed: hit ? measured.noticed : undefined };
}

async function timed(action: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}
