import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { append, directory, open } from '../../support/data-directory.ts';

vi.setConfig({ testTimeout: 60_000 });

describe('the reserve', () => {
  it('is made whole again when somebody removes it', async () => {
    const dataDir = directory();
    const log = await open(dataDir, { reserveBytes: 1000 });
    const reserve = join(dataDir, 'reserve');
    const size = (): number | undefined => statSync(reserve, { throwIfNoEntry: false })?.size;
    await expect.poll(size).toBe(1000);
    rmSync(reserve);
    await expect.poll(size, { timeout: 5000 }).toBe(1000);
    await log.close();
  });

  it('stops intake with a sentence while it cannot be written', async () => {
    const dataDir = directory();
    mkdirSync(join(dataDir, 'reserve'), { recursive: true });
    const log = await open(dataDir, { reserveBytes: 1000, acceptLoss: true });
    const refusal = `the reserve ${dataDir}/reserve cannot be written: EISDIR`;
    await expect.poll(() => log.space().refusal, { timeout: 5000 }).toContain(refusal);
    await expect(append(log)).rejects.toThrow(refusal);
    rmSync(join(dataDir, 'reserve'), { recursive: true });
    await expect.poll(() => log.space().intake, { timeout: 5000 }).toBe(true);
    await append(log);
    await log.close();
  });
});
