import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { unique, useBrokers, useSharedBrokers } from '../src/index.ts';

async function reaches(port: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.destroy();
}

describe('useBrokers', () => {
  const brokers = useBrokers({ mosquitto: {}, prosody: { components: ['x.localhost'] } });

  it('starts what was asked for, with its options', async () => {
    await reaches(brokers.mosquitto.ports.plain);
    expect(brokers.prosody.components).toEqual(['x.localhost']);
  });

  it('lets a test kill and restart its own broker', async () => {
    await brokers.mosquitto.kill();
    await expect(reaches(brokers.mosquitto.ports.plain)).rejects.toThrow('ECONNREFUSED');
    await brokers.mosquitto.restart();
    await reaches(brokers.mosquitto.ports.plain);
  });
});

describe('useSharedBrokers', () => {
  const first = useSharedBrokers('mosquitto', 'prosody');
  const second = useSharedBrokers('mosquitto');

  it('gives running brokers with four users', async () => {
    await reaches(first.mosquitto.ports.plain);
    await reaches(first.prosody.ports.plain);
    expect(first.prosody.users.map(({ name }) => name)).toEqual(['magpie', 'alice', 'bob', 'carol']);
    expect(first.prosody.rooms).toBe('conference.localhost');
  });

  it('answers control commands', async () => {
    await first.prosody.control('register', unique('user'), 'localhost', 'secret');
    await expect(second.mosquitto.control('anything')).rejects.toThrow('Mosquitto has no control program');
  });
});

describe('before the tests', () => {
  const brokers = useSharedBrokers('mosquitto');
  const early = (() => {
    try {
      return brokers.mosquitto.host;
    } catch (error) {
      return String(error);
    }
  })();

  it('says that a broker is not started yet', () => {
    expect(early).toContain('read it inside a test or a hook');
  });
});

describe('unique', () => {
  it('never returns the same name twice', () => {
    const names = Array.from({ length: 100 }, () => unique('topic'));
    expect(new Set(names).size).toBe(100);
    expect(names[0]).toMatch(/^topic-[0-9a-f]{8}-\d+$/);
  });
});
