import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startProgram } from '../src/index.ts';
import { isRunning, waitUntilGone } from './processes.ts';

const source = fileURLToPath(new URL('../src/index.ts', import.meta.url));
const program = `
  const { startMosquitto } = await import(${JSON.stringify(source)});
  const { pid, dataDir } = await startMosquitto();
  console.log(JSON.stringify({ pid, dataDir }));
  setInterval(() => {}, 1000);
`;

it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'leaves no broker and no data when the process that started it ends by %s',
  async (signal) => {
    const parent = await startProgram(process.execPath, ['--input-type=module', '-e', program]);
    const [line] = await parent.says(/^\{.*\}$/m);
    const { pid, dataDir } = JSON.parse(line);
    expect(isRunning(pid)).toBe(true);
    parent.signal(signal);
    await parent.exited();
    await waitUntilGone(pid);
    await expect.poll(() => existsSync(dataDir)).toBe(false);
  },
);
