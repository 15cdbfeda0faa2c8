import { fileURLToPath } from 'node:url';
import { startProgram } from '@magpie/brokers';
import { useSharedBrokers } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';

// What npm start plays starts brokers of its own; by then they are installed.
useSharedBrokers('mosquitto', 'prosody');

const MAIN = fileURLToPath(new URL('../../apps/demo/src/main.ts', import.meta.url));
const FLAGS = ['--conditions=@magpie/source', '--disable-warning=ExperimentalWarning'];

describe('npm start', () => {
  it.each([
    ['the pump room', [], 'All 17 hops done.'],
    ['devices as contacts', ['--example', 'devices-as-contacts'], 'All 20 hops done.'],
  ])('plays %s from its first hop to its last', { timeout: 180_000 }, async (_, args, end) => {
    const program = await startProgram(process.execPath, [...FLAGS, MAIN, ...args, '--once']);
    expect(await program.exited(), program.output()).toBe(0);
    expect(program.stdout()).toContain(end);
  });
});
