import { memoryAdapter } from '@magpie/adapter-memory';
import { loadConfig } from '@magpie/config';
import { expect, it } from 'vitest';

it('hands a real adapter its parsed settings', () => {
  const { config, problems } = loadConfig({
    path: 'magpie.yaml',
    text: 'version: 1\ngateway: { id: a }\nconnections: { bus: { type: memory, broker: b, maxBodyBytes: 64KiB } }\n',
    adapters: [memoryAdapter],
    env: {},
  });
  expect(problems).toEqual([]);
  expect(config?.connections).toMatchObject([
    { name: 'bus', config: { broker: 'b', fifoWindow: 64, maxBodyBytes: 65_536 } },
  ]);
  expect(config?.connections[0]?.adapter).toBe(memoryAdapter);
});
