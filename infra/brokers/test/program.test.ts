import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../src/index.ts';
import { isRunning, waitUntilGone } from './processes.ts';

/** Runs a script of the shell; gone with the test. */
async function shell(script: string, logFile?: string) {
  const program = await startProgram('sh', ['-c', script], logFile === undefined ? {} : { logFile });
  onTestFinished(async () => void (await program.kill()));
  return program;
}

const numbers = (text: string): readonly number[] => text.trim().split(/\s+/).map(Number);

describe('a program', () => {
  it('keeps what it wrote to each stream, to its last word', async () => {
    const program = await shell('echo out; echo err >&2; exit 3');
    expect(await program.exited()).toBe(3);
    expect([program.stdout(), program.stderr()]).toEqual(['out\n', 'err\n']);
    expect(program.output().split('\n').toSorted()).toEqual(['', 'err', 'out']);
    expect(program.running).toBe(false);
  });

  it('appends what it writes to a file when one is given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'magpie-program-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'log');
    for (const word of ['one', 'two']) await (await shell(`echo ${word}; echo ${word} >&2`, file)).exited();
    expect(readFileSync(file, 'utf8')).toBe('one\none\ntwo\ntwo\n');
  });

  it('is waited for until it says something', async () => {
    const program = await shell('echo no; sleep 0.1; echo port 17; sleep 60');
    expect((await program.says(/port (\d+)/))[1]).toBe('17');
    await expect(program.says(/never/, 50)).rejects.toThrow('was not ready within 0.05 s: no | port 17');
  });

  it('that ends before it says something tells the line that matters, and all lines as the cause', async () => {
    const program = await shell('echo first; echo Error: a port is taken >&2; exit 4');
    const failure = await program.says(/never/).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: 'exited with 4 at its start: Error: a port is taken' });
    expect(failure).toMatchObject({ cause: { message: expect.stringContaining('first\n') } });
  });

  it('that cannot be started is an error', async () => {
    await expect(startProgram('/no/such/program', [])).rejects.toThrow(/^could not be started: .*ENOENT/);
  });

  it('takes along what it has left behind in its group', async () => {
    const program = await shell('sleep 60 & echo $!');
    expect(await program.exited()).toBe(0);
    await waitUntilGone(numbers(program.stdout())[0]);
  });

  it('is killed with everything it started', async () => {
    const program = await shell('sleep 60 & echo $!; wait');
    const [, child] = await program.says(/(\d+)\n/);
    expect(await program.kill()).toBeNull();
    await waitUntilGone(Number(child));
    expect(isRunning(program.pid)).toBe(false);
  });

  it('is asked to stop, and killed when it does not', async () => {
    const polite = await shell('trap "exit 5" TERM; echo ready; while :; do sleep 0.02; done');
    await polite.says(/ready/);
    expect(await polite.stop()).toBe(5);
    const stubborn = await shell('trap "" TERM; echo ready; while :; do sleep 0.02; done');
    await stubborn.says(/ready/);
    expect(await stubborn.stop(100)).toBeNull();
  });

  it.skipIf(process.platform !== 'linux')('stands still and goes on', async () => {
    const program = await shell('while :; do :; done');
    const state = (): string => readFileSync(`/proc/${program.pid}/stat`, 'utf8').split(') ')[1]![0]!;
    await program.freeze();
    expect(state()).toBe('T');
    program.resume();
    expect(state()).not.toBe('T');
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('is gone when the process that started it ends by %s', async (signal) => {
    const source = fileURLToPath(new URL('../src/index.ts', import.meta.url));
    const script = `
      const { startProgram } = await import(${JSON.stringify(source)});
      const { pid } = await startProgram('sleep', ['60']);
      console.log('pid', pid);
      setInterval(() => {}, 1000);
    `;
    const parent = await startProgram(process.execPath, ['--input-type=module', '-e', script]);
    const [, pid] = await parent.says(/pid (\d+)/);
    parent.signal(signal);
    await parent.exited();
    await waitUntilGone(Number(pid));
  });
});
