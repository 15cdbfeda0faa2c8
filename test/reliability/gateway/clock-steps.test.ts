import { setTimeout as sleep } from 'node:timers/promises';
import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATHS, PROSODY } from '../kit/clients/paths.ts';
import { type Fault, queueDeleted } from '../kit/faults/faults.ts';
import { DAY, describeStep, HOUR, openWallClock } from '../kit/faults/wall-clock.ts';
import type { Flow } from '../kit/measure/flow.ts';
import { wholeLog } from '../kit/measure/history.ts';
import { attempts, deadLetters } from '../kit/measure/probe.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type Observed, trial, underLoad } from '../kit/measure/trial.ts';
import { seededRandom, times } from '../kit/settings.ts';
import { openWorld, type World } from '../kit/world.ts';

const random = seededRandom();
const table = printedTable();
const clock = openWallClock();
/** Every path must go on delivering after a step: a tenth of a second of its load, long before any wait that a step could cause. */
const GOES_ON = { messages: 20, ms: 5000 };
const BACKOFF = { min: '200ms', max: '2s' };

describe('a wall clock that is set under load', () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {}, prosody: PROSODY });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → AMQP', 'MQTT → room'], {
      nodeFlags: clock.nodeFlags,
      routes: { 'mqtt-amqp': { ...PATHS['MQTT → AMQP'].route, retry: { backoff: BACKOFF } } },
    });
  });
  afterAll(async () => {
    await world.close();
    clock.remove();
  });

  const goesOn = (flows: readonly Flow[]): Promise<unknown> =>
    Promise.all(flows.map((flow) => flow.arrived(GOES_ON.messages, GOES_ON.ms)));
  const chanceStep = (): number => random.between(-3 * DAY, 3 * DAY);

  it('still knows the key of a message that is published again after a step', async () => {
    const publish = async (): Promise<string | null> => {
      const response = await fetch(`${world.gateway.url}/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
        body: JSON.stringify({ topic: 'unrouted', text: 'once' }),
      });
      expect(response.status).toBe(202);
      return response.headers.get('location');
    };
    const first = await publish();
    for (const step of [HOUR, DAY, -2 * DAY, DAY - HOUR]) {
      clock.step(step);
      expect(await publish()).toBe(first);
    }
  });

  it('loses, repeats and delays nothing, and keeps every link', async () => {
    const steps = [HOUR, -HOUR, DAY, -DAY, ...Array.from({ length: times(4, 500) }, chanceStep)];
    const links = await attempts(world);
    const stepAll = async (flows: readonly Flow[]): Promise<Observed> => {
      for (const step of steps) {
        clock.step(step);
        await goesOn(flows);
        expect(await deadLetters(world), describeStep(step)).toBe(0);
      }
      return {};
    };
    const rows = await underLoad(world, `clock set ${steps.length} times`, stepAll);
    table.push(...rows);
    for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0, duplicates: 0 });
    expect(await attempts(world)).toEqual(links);
  });

  /** The clock is set while the line to a target is cut: what waits for it has not become older than it is. */
  const outageWithStep = (step: number): Fault => ({
    name: `${describeStep(step)} in an outage of erp`,
    hits: 'erp',
    lasts: 500,
    inject: async () => {
      await world.proxies.erp?.refuse(true);
      world.proxies.erp?.reset();
      await sleep(500);
      clock.step(step);
    },
    heal: async () => world.proxies.erp?.refuse(false),
  });

  /** A delivery is refused and waits for its next attempt, by a clock that is then set; the gateway is killed, too. */
  const refusedThenSet = async (step: number): Promise<Observed> => {
    const { inject, heal } = queueDeleted(brokers.rabbitmq, 'from-mqtt', 0, world.proxies.erp);
    await inject();
    await sleep(500);
    clock.step(step);
    await sleep(100);
    await world.gateway.kill();
    await heal();
    await world.restart();
    return {};
  };

  it.each([DAY, -DAY])('does not make what waits for a target older, or wait longer: %i ms', async (step) => {
    const rows = await trial(world, outageWithStep(step));
    table.push(...rows);
    for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
    expect(await deadLetters(world)).toBe(0);
  });

  it('does not keep a restarted gateway from trying again what was refused', async () => {
    for (let round = 0; round < times(1, 50); round++) {
      const rows = await underLoad(world, '-1 d and a kill, deliveries refused', () => refusedThenSet(-DAY), {
        pause: 200,
      });
      table.push(...rows);
      for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
      expect(await deadLetters(world)).toBe(0);
    }
  });

  it('leaves the log in the order of receipt, with refs that name one event each', async () => {
    const events = await wholeLog(world);
    expect(events.length).toBeGreaterThan(1000);
    const outOfOrder = (values: readonly string[]): number =>
      values.filter((value, at) => value < values[at - 1]!).length;
    expect(events.map(({ receivedAt }) => Date.parse(receivedAt))).not.toContain(Number.NaN);
    expect(outOfOrder(events.map(({ receivedAt }) => receivedAt))).toBe(0);
    const refs = events.map(({ ref }) => ref);
    expect(new Set(refs).size).toBe(refs.length);
    expect(outOfOrder(refs)).toBe(0);
    for (const ref of Array.from({ length: 50 }, () => refs[random.between(0, refs.length - 1)])) {
      expect((await fetch(`${world.gateway.url}/v1/messages/${ref}`)).status).toBe(200);
    }
  });
});
