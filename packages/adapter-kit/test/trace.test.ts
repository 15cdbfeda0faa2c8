import { traceOf, viaOf } from '@magpie/adapter-kit';
import { HOP_LIMIT } from '@magpie/contract';
import { describe, expect, it } from 'vitest';

const GOOD = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('the trace of a message', () => {
  it.each([GOOD, GOOD.replace(/^00/, '01'), `${GOOD.replace(/^00/, 'cc')}-what-the-future-brings`])(
    'is %s',
    (traceparent) => {
      expect(traceOf(traceparent, undefined)).toEqual({ traceparent });
      expect(traceOf(traceparent, 'vendor=1')).toEqual({ traceparent, tracestate: 'vendor=1' });
      expect(traceOf(traceparent, '')).toEqual({ traceparent });
      expect(traceOf(traceparent, 7)).toEqual({ traceparent });
    },
  );

  it.each([
    undefined,
    7,
    '',
    'junk',
    GOOD.toUpperCase(),
    GOOD.slice(1),
    `${GOOD}0`,
    `${GOOD}-more`,
    `${GOOD}\n`,
    ` ${GOOD}`,
    GOOD.replace(/^00/, 'ff'),
    `${GOOD.replace(/^00/, '01')}0`,
    `${GOOD.replace(/^00/, '01')}-${'x'.repeat(600)}`,
    GOOD.replace(/-[^-]{32}-/, `-${'0'.repeat(32)}-`),
    GOOD.replace(/-[^-]{16}-/, `-${'0'.repeat(16)}-`),
  ])('is not %j, nor is its state worth anything', (traceparent) => {
    expect(traceOf(traceparent, 'vendor=1')).toBeUndefined();
  });
});

describe('the gateways a message has passed', () => {
  it('are the texts among what was carried, oldest first, as many as count', () => {
    expect(viaOf([])).toEqual([]);
    expect(viaOf(['a', 1, '', null, 'b'])).toEqual(['a', 'b']);
    const many = Array.from({ length: 100 }, (_, index) => `g${index}`);
    expect(viaOf(many)).toEqual(many.slice(0, HOP_LIMIT));
  });
});
