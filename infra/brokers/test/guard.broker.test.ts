import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
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
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const { pid, dataDir } = JSON.parse(String(line));
    expect(isRunning(pid)).toBe(true);
    parent.kill(signal);
    await once(parent, 'exit');
    await waitUntilGone(pid);
    await expect.poll(() => existsSync(dataDir)).toBe(false);
  },
);
