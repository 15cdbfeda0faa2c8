import { expect, it } from 'vitest';
import { ensureBrokers } from '../src/index.ts';

it('finds every program and then neither installs nor reports anything', async () => {
  await ensureBrokers();
  const said: string[] = [];
  const found = await ensureBrokers({ progress: (text) => said.push(text), install: false });
  expect(found).toEqual({ missing: [], reason: 'All brokers are installed.', installed: false });
  expect(said).toEqual([]);
});
