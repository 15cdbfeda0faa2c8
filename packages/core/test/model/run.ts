import type { MagpieError } from '@magpie/contract';
import { consumerOf, TARGETS } from './plan.ts';
import type { Script, Step } from './steps.ts';
import type { Store } from './world/scenery.ts';
import { randomFrom, replaceRandom, virtualTime } from './world/virtual-time.ts';
import { World } from './world/world.ts';

/** Rounds in which a target that accepts everything must have got all there is. */
const ROUNDS = 1500;

/** After this long everything that has been settled is written, and all dead letters have been tried again. */
const QUIET_MS = 300;

/**
 * Plays a script on a store, lets everything come to an end, and returns what went wrong, as sentences. `garble` puts a
 * defect into the links: it changes their observers' calls.
 */
export async function play(
  script: Script,
  makeStore: (now: () => number) => Store,
  garble?: (answer: MagpieError | undefined) => MagpieError | undefined,
): Promise<readonly string[]> {
  const time = virtualTime();
  const putBack = replaceRandom(randomFrom(script.seed));
  const world = new World(makeStore(time.now), script.wanted, time, garble);
  const { faults } = world.oracle;
  try {
    await world.start();
    for (const step of script.steps) {
      await perform(world, step);
      if (faults.length > 0) return faults;
    }
    await finish(world);
    return faults;
  } finally {
    await world.close();
    putBack();
  }
}

async function perform(world: World, step: Step): Promise<void> {
  switch (step.act) {
    case 'publish':
      world.publish(step);
      break;
    case 'repeat':
      world.repeat(step.pick);
      break;
    case 'confirm':
      world.answer(step.target, step.pick, step.count);
      break;
    case 'fail':
      world.answer(step.target, step.pick, step.count, step.error);
      break;
    case 'link':
      world.setLink(step.target, step.up);
      break;
    case 'place':
      world.setPlace(step.target, `k${step.key}`, step.takes);
      break;
    case 'wait':
      return world.wait(step.ms);
    case 'disk':
      if (step.holds) world.disk.hold();
      else world.disk.release();
      break;
    default:
      return operate(world, step);
  }
  await world.quiet();
}

type Operation = Exclude<Step, { act: 'publish' | 'repeat' | 'confirm' | 'fail' | 'link' | 'place' | 'wait' | 'disk' }>;

function operate(world: World, step: Operation): Promise<void> {
  switch (step.act) {
    case 'crash':
      return world.crash(step.written);
    case 'restart':
      return world.restart(step.answering);
    case 'retry':
      return world.handle(step.pick, step.edited ? 'edit' : 'retry');
    case 'drop':
      return world.handle(step.pick, 'drop');
    case 'retry all':
    case 'drop all':
      return world.handleAll(step.target, step.reason, step.act === 'drop all' ? 'drop' : 'retry');
    case 'reload':
      return world.reload(step.target, step.config);
    case 'retain':
      return world.retain(step.maxBytes);
  }
}

/** From now on everybody takes everything: it must all come to an end, and stay there. */
async function finish(world: World): Promise<void> {
  world.disk.release();
  world.openPlaces();
  for (const name of TARGETS) world.setLink(name, true);
  await world.quiet();
  for (let round = 0; round < ROUNDS && !(await staysAtRest(world)); round++) await acceptAll(world);
  const { faults } = world.oracle;
  const blocked = TARGETS.some((name) =>
    world.oracle.deliveries(consumerOf(name)).some(({ row }) => row === 'blocked'),
  );
  if (!blocked) {
    if (!isAtRest(world)) faults.push(`it never comes to rest: ${describe(world)}`);
    for (const name of TARGETS) reportUnsettled(world, name);
  }
  await world.retain(0);
  if (blocked || faults.length > 0) return;
  await world.restart(false);
  await acceptAll(world);
  const again = TARGETS.flatMap((name) => world.link(name).open);
  if (again.length > 0) faults.push(`${again.length} sent again after an ordered end`);
}

async function acceptAll(world: World): Promise<void> {
  const open = TARGETS.some((name) => world.link(name).open.length > 0);
  for (const name of TARGETS) world.answer(name, 0, Number.POSITIVE_INFINITY);
  await world.wait(open ? 0 : 300);
}

async function staysAtRest(world: World): Promise<boolean> {
  if (!isAtRest(world)) return false;
  await world.wait(QUIET_MS);
  return isAtRest(world);
}

function isAtRest(world: World): boolean {
  const busy = world.gateway
    .targets()
    .some(({ waiting, held, flying, lagging }) => waiting + held + flying > 0 || lagging);
  return !busy && world.pending === 0;
}

function reportUnsettled(world: World, name: (typeof TARGETS)[number]): void {
  const consumer = consumerOf(name);
  if (!world.oracle.isOn(consumer)) return;
  for (const { label, position } of world.oracle.unsettled(consumer)) {
    world.oracle.faults.push(`${label} at ${position} never came to ${name}`);
  }
}

const describe = (world: World): string =>
  JSON.stringify({ pending: world.pending, targets: world.gateway.targets(), holds: world.gateway.holds() });
