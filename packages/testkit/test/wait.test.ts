import { describe, expect, it } from 'vitest';
import { waitFor } from '../src/index.ts';

describe('waitFor', () => {
  it('returns the first answer that is there', async () => {
    let asked = 0;
    expect(await waitFor(() => (asked++ < 3 ? undefined : 0), { what: 'a number', interval: 1 })).toBe(0);
    expect(asked).toBe(4);
  });

  it('takes a condition that throws or rejects as not fulfilled yet', async () => {
    let asked = 0;
    const condition = async () => {
      asked += 1;
      if (asked < 3) throw new Error('not yet');
      return 'done';
    };
    expect(await waitFor(condition, { what: 'the end', interval: 1 })).toBe('done');
  });

  it('names what it waited for, how long, and the last answer', async () => {
    await expect(waitFor(() => false, { what: 'the moon', timeout: 20 })).rejects.toThrow(
      'Waited 20 ms in vain for the moon. Last answer: false.',
    );
  });

  it('carries the last error as its cause', async () => {
    const cause = new Error('no route to host');
    const waiting = waitFor(() => Promise.reject(cause), { what: 'the moon', timeout: 20 });
    await expect(waiting).rejects.toMatchObject({ cause, message: expect.stringContaining('no route to host') });
  });
});
