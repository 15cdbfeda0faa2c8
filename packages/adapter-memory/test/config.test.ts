import { memoryAdapter } from '@magpie/adapter-memory';
import { Secret } from '@magpie/contract';
import { describe, expect, it } from 'vitest';

const { connectionSchema } = memoryAdapter;

describe('the configuration of a memory connection', () => {
  it('has a default for every key but the identity', () => {
    const defaults = { broker: 'default', fifoWindow: 64, window: 256, metadata: true, maxBodyBytes: 1_048_576 };
    expect(connectionSchema.parse({})).toEqual(defaults);
  });

  it('reads sizes with units and hides the password', () => {
    const config = connectionSchema.parse({ maxBodyBytes: '64KiB', password: 'open sesame' });
    expect(config).toMatchObject({ maxBodyBytes: 65_536, password: expect.any(Secret) });
    expect(JSON.stringify(config)).not.toContain('sesame');
  });

  it.each([
    [{ fifoWindow: 0 }, 'fifoWindow'],
    [{ window: 1.5 }, 'window'],
    [{ broker: '' }, 'broker'],
    [{ maxBodyBytes: 'much' }, 'maxBodyBytes'],
    [{ brocker: 'x' }, 'brocker'],
  ])('refuses %j', (keys, wrong) => {
    expect(JSON.stringify(connectionSchema.safeParse(keys).error?.issues)).toContain(wrong);
  });

  it('tells the capabilities as configured', () => {
    const config = { broker: 'x', fifoWindow: 3, window: 1, metadata: false, maxBodyBytes: 10 };
    expect(memoryAdapter.capabilities(config)).toMatchObject({ fifoWindow: 3, metadata: false, maxBodyBytes: 10 });
  });
});
