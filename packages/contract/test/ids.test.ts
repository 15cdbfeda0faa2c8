import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepRefsAfter, newRef, timeOfRef } from '../src/event/ids.ts';

const HOUR = 3_600_000;
const timeOf = (ref: string): number => Number.parseInt(ref.replaceAll('-', '').slice(0, 12), 16);

describe('refs', () => {
  afterEach(() => vi.useRealTimers());

  it('increase, also when the clock is set back', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const refs: string[] = [];
    for (const step of [0, HOUR, -HOUR, -24 * HOUR, 24 * HOUR, 2 * HOUR]) {
      vi.setSystemTime(Date.now() + step);
      refs.push(newRef(), newRef());
    }
    expect(refs).toEqual([...new Set(refs)].sort());
  });

  it('tell the time they were made for', () => {
    const later = (timeOfRef(newRef()) ?? 0) + HOUR;
    expect(timeOfRef(newRef(later))).toBe(later);
    expect(timeOfRef('another id')).toBeUndefined();
    expect(timeOfRef('0193abcd-1234-4abc-8def-0123456789ab')).toBeUndefined();
  });

  it('go on after a stored event whose times lie ahead', () => {
    const now = Date.now();
    const receivedAt = now + 72 * HOUR;
    keepRefsAfter({ ref: newRef(), receivedAt });
    const first = newRef();
    expect(timeOf(first)).toBeGreaterThanOrEqual(receivedAt);
    keepRefsAfter({ ref: first, receivedAt: now });
    expect(timeOf(newRef())).toBeGreaterThan(timeOf(first));
  });
});
