import { describe, expect, it } from 'vitest';
import { createSendWindow } from '../../src/connections/send-window.ts';

describe('the window of a link', () => {
  it('lets as many through as it has places', () => {
    const window = createSendWindow(2);
    expect([window.acquire(() => undefined), window.acquire(() => undefined), window.acquire(() => undefined)]).toEqual(
      [true, true, false],
    );
  });

  it('wakes the next one when the first has nothing left to send', () => {
    const window = createSendWindow(1);
    const sent: string[] = [];
    window.acquire(() => undefined);
    window.acquire(() => sent.push('stopped, takes nothing'));
    const wake = (): void => {
      if (window.acquire(wake)) sent.push('waiting one');
    };
    window.acquire(wake);
    window.release();
    expect(sent).toEqual(['stopped, takes nothing', 'waiting one']);
    expect(
      window.acquire(() => undefined),
      'its place is taken',
    ).toBe(false);
  });
});
