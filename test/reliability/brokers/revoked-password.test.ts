import { useBrokers, waitFor } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionState, connectionThat, type ShownConnection } from '../../support/watch-connection.ts';
import { PROSODY } from '../kit/clients/paths.ts';
import {
  type Account,
  GATEWAY,
  LOGINS,
  leakedForms,
  mosquittoAccount,
  prosodyAccount,
  rabbitmqAccount,
  STRANGER,
} from '../kit/faults/passwords.ts';
import type { Flow } from '../kit/measure/flow.ts';
import { deadLetters } from '../kit/measure/probe.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type Observed, underLoad } from '../kit/measure/trial.ts';
import { times } from '../kit/settings.ts';
import { openWorld, ready, type World } from '../kit/world.ts';

const table = printedTable();
/** One attempt to log in every 30 s, the login itself, and a slow machine. */
const BACK_WITHIN_MS = 36_000;
/** When the link is back, what has gathered in the meantime goes out first. */
const LOAD = { pause: 200, resumeWithin: 10_000 };
/** What each path that is not hit must deliver while a password is wrong. */
const MEANWHILE = { messages: 20, ms: 5000 };

/**
 * Mosquitto 2.0.11 forgets the rights of an account whose password has changed, and then keeps nothing for its session: rights
 * that belong to everybody stay.
 */
const RIGHTS_OF_ALL = ['pattern readwrite #'];

describe('a password that is revoked at a broker under load, and put back', () => {
  const users = [GATEWAY, STRANGER];
  const magpie = { name: 'magpie', password: 'magpie-secret' };
  const brokers = useBrokers({
    mosquitto: { persistence: false, users: [magpie, STRANGER, { ...GATEWAY, acl: RIGHTS_OF_ALL }] },
    rabbitmq: { users: [magpie, ...users] },
    prosody: { ...PROSODY, users: [...PROSODY.users, ...users] },
  });
  let world: World;
  beforeAll(async () => {
    const paths = ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → AMQP', 'HTTP → MQTT', 'MQTT → room', 'HTTP → yard'] as const;
    world = await openWorld(brokers, paths, { connections: LOGINS });
  });
  afterAll(() => world.close());

  /** The link is cut until the broker, which may need a moment to know the new password, refuses the login. */
  const refusedLogin = async ({ connection, revoke }: Account): Promise<ShownConnection> => {
    await revoke();
    const { url } = world.gateway;
    const refused = async (): Promise<boolean> => {
      const { state, error } = await connectionState(url, connection);
      if (state === 'up') world.proxies[connection]?.reset();
      return error?.code === 'auth-failed';
    };
    await waitFor(refused, { what: `${connection} to be refused`, timeout: 15_000, interval: 200 });
    return connectionThat(url, connection, 'to need a human', ({ state }) => state === 'stopped');
  };

  const upAgain = async ({ connection, restore }: Account): Promise<number> => {
    await restore();
    const since = performance.now();
    await waitFor(async () => (await connectionState(world.gateway.url, connection)).state === 'up', {
      what: `${connection} to come back by itself`,
      timeout: BACK_WITHIN_MS,
      interval: 100,
    });
    return performance.now() - since;
  };

  /** Revokes one password after the other; puts each back when it has been seen that only its own connection suffers. */
  const revokeEach = async (flows: readonly Flow[], accounts: readonly Account[]): Promise<Observed> => {
    const away = new Set<string>();
    const returns: Promise<number>[] = [];
    const noticed: number[] = [];
    for (const account of accounts) {
      const since = performance.now();
      away.add(account.connection);
      const shown = await refusedLogin(account);
      noticed.push(performance.now() - since);
      expect(shown).toMatchObject({
        error: { code: 'auth-failed' },
        alarm: expect.stringMatching(/refused|password/i),
      });
      expect(await metrics(world)).toContain(`magpie_connection_state{connection="${account.connection}"} 0`);
      const others = flows.filter(({ path }) => !path.uses.some((name) => away.has(name)));
      expect(others).not.toHaveLength(0);
      await Promise.all(others.map((flow) => flow.arrived(MEANWHILE.messages, MEANWHILE.ms)));
      returns.push(upAgain(account));
    }
    const back = await Promise.all(returns);
    console.log(`back after ${back.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);
    return { noticed: Math.max(...noticed) };
  };

  it('stops that connection alone, says so, and comes back by itself without loss', async () => {
    const accounts = [
      rabbitmqAccount(brokers.rabbitmq),
      prosodyAccount(brokers.prosody),
      mosquittoAccount(brokers.mosquitto),
    ];
    for (let round = 0; round < times(1, 30); round++) {
      const rows = await underLoad(world, 'passwords revoked', (flows) => revokeEach(flows, accounts), LOAD);
      table.push(...rows);
      for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
      expect(await deadLetters(world)).toBe(0);
      await ready(world);
      for (const name of ['floor', 'erp', 'chat']) {
        expect(await connectionState(world.gateway.url, name)).not.toHaveProperty('alarm');
      }
    }
  });

  it('shows the password nowhere', async () => {
    const { url, logs } = world.gateway;
    const shown = await Promise.all(['/v1/connections', '/v1', '/metrics', '/readyz'].map((path) => text(url + path)));
    const written = [logs(), ...shown].join('\n');
    expect(written).toContain('auth-failed');
    for (const form of leakedForms()) expect(written).not.toContain(form);
  });
});

const text = async (url: string): Promise<string> => (await fetch(url)).text();
const metrics = ({ gateway }: World): Promise<string> => text(`${gateway.url}/metrics`);
