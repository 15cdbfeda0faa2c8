import { describe, expect, it } from 'vitest';
import { reliabilityPage } from '../page.ts';
import { summarise } from '../record.ts';
import { row, run } from './sample.ts';

const killed = run({
  faults: summarise([row({ times: 2500, counts: 'kills', acked: 1_234_567, duplicates: 12, resumed: 1234, rss: 140 })]),
});

describe('the page about reliability', () => {
  it('shows how far the goal is', () => {
    const page = reliabilityPage([killed, killed]);
    expect(page).toContain('**5,000 of 10,000** kills of a gateway under load (50 %)');
    expect(page).toContain('**0 of 1,000** power cuts');
    expect(page).toContain(
      'over 2 recorded runs: 2,469,134 acknowledged messages, **0 lost**, 0 out of order; 0 failed tests',
    );
  });

  it('has a row per fault', () => {
    expect(reliabilityPage([killed])).toContain(
      '| kill | 2,500 | A → B | 1,234,567 | 0 | 0 | 0 | 12 | 0 | 1.2 s | 140 MB |',
    );
  });

  it('says for each run what it ran on', () => {
    const page = reliabilityPage([killed]);
    expect(page).toContain('### 2031-05-06, seed 5\n\n- 1 h 35 min: 2,500 kills, 0 power cuts; killed-gateway');
    expect(page).toContain('- 2 cores (Some CPU), 4 GiB, Linux 6.1');
    expect(page).toContain('- Magpie 1.2.3 (abc), Node 24.0.0, Mosquitto 2.0, RabbitMQ 4.0, Prosody 0.12');
    expect(page).toContain('- no test failed');
  });

  it('has what a test measured besides, also of a run without rows', () => {
    const page = reliabilityPage([run({ findings: [{ file: 'slow-sink', findings: ['RSS 100 MB', 'drained'] }] })]);
    expect(page).toContain('killed-gateway\n- `slow-sink`:\n  - RSS 100 MB\n  - drained\n- 2 cores');
  });

  it('hides neither losses nor failed tests nor a run that was interrupted', () => {
    const failures = [{ file: 'killed-gateway', test: 'loses nothing', message: 'lost 3' }];
    const page = reliabilityPage([run({ state: 'interrupted', failures, faults: summarise([row({ lost: 3 })]) })]);
    expect(page).toContain('**3 lost**, 0 out of order; 1 failed test\n');
    expect(page).toContain('1 h 35 min, interrupted:');
    expect(page).toContain('- **failed**: `killed-gateway`: loses nothing: `lost 3`');
    expect(page).not.toContain('no test failed');
  });

  it('says that there is nothing yet', () => {
    expect(reliabilityPage([])).toContain('None is recorded yet.');
  });
});
