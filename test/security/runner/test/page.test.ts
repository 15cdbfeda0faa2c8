import { describe, expect, it } from 'vitest';
import { figuresLine, parseFigures } from '../figures.ts';
import { securityPage } from '../page.ts';
import { type SecurityRun, totalsOf } from '../record.ts';

const attack = {
  file: 'sockets',
  attack: 'sockets > that stay',
  inputs: 300,
  crashes: 0,
  hangs: 0,
  leaks: 2,
  losses: 0,
  refusals: 1,
  peak: 250,
  growth: 40,
};
const run: SecurityRun = {
  ...{ date: '2030-01-02T03:04:05.000Z', minutes: 3, form: 'long', files: ['sockets'] },
  machine: { cpu: 'some CPU', cores: 2, memoryGiB: 8, kernel: 'Linux 1' },
  versions: { magpie: '1.0.0', node: '24', mosquitto: '2', rabbitmq: '3', prosody: '0' },
  failures: [{ file: 'sockets', test: 'that stay', message: 'leaks' }],
  attacks: [attack, { ...attack, attack: 'other', peak: 100, inputs: 1 }],
};

describe('the figures of attacks', () => {
  it('come back from the results file, without a line that is still being written', () => {
    expect(parseFigures(`${figuresLine(attack)}${figuresLine(attack).slice(0, 20)}`)).toEqual([attack]);
  });

  it('add up, and the most memory counts', () => {
    expect(totalsOf(run)).toMatchObject({ attacks: 2, inputs: 301, leaks: 4, refusals: 2, peak: 250, growth: 40 });
  });
});

describe('the page', () => {
  it('says so when nothing is recorded', () => expect(securityPage([])).toContain('No run is recorded yet.'));

  it('shows the last run attack by attack, with what failed, and earlier ones in one row each', () => {
    const page = securityPage([{ ...run, date: '2029-01-01T00:00:00.000Z' }, run]);
    expect(page).toContain('| sockets: that stay | 300 | 0 | 0 | 2 | 0 | 1 | 250 MB (+40) |');
    expect(page).toContain('**301 inputs** in 2 attacks');
    expect(page).toContain('**failed**: `sockets`: that stay: `leaks`');
    expect(page).toContain('| 2029-01-01, long | 2 | 301 |');
  });
});
