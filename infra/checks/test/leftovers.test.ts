import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../../brokers/src/index.ts';
import { leftovers } from '../leftovers.ts';

const mark = () => ({ name: 'MAGPIE_CHECK_RUN', value: randomUUID() });

/** Starts a program of a run with this mark; gone with the test. */
async function start({ name, value }: ReturnType<typeof mark>, file: string, ...args: readonly string[]) {
  const program = await startProgram(file, args, { env: { [name]: value } });
  onTestFinished(async () => void (await program.kill()));
  return program;
}

describe.skipIf(process.platform !== 'linux')('what lives on', () => {
  it('is named with its process id and command line', async () => {
    const ours = mark();
    const { pid } = await start(ours, 'sleep', '61');
    expect(await leftovers(ours, 0)).toEqual([{ pid, command: 'sleep 61' }]);
  });

  it('is found also when its parent is gone and it has a session of its own', async () => {
    const ours = mark();
    const parent = await start(ours, 'sh', '-c', 'setsid sh -c "echo \\$\\$; exec sleep 62" & exec sleep 62');
    const [daemon] = await parent.says(/\d+/);
    await parent.kill();
    onTestFinished(() => void process.kill(Number(daemon), 'SIGKILL'));
    expect(await leftovers(ours, 0)).toEqual([{ pid: Number(daemon), command: expect.stringContaining('sleep 62') }]);
  });

  it('of another run is none of ours', async () => {
    await start(mark(), 'sleep', '63');
    expect(await leftovers(mark(), 0)).toEqual([]);
  });

  it('has a while to end', async () => {
    const ours = mark();
    await start(ours, 'sleep', '0.3');
    expect(await leftovers(ours)).toEqual([]);
  });
});
