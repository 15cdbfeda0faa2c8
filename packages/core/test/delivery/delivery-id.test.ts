import { newRef } from '@magpie/contract';
import { expect, it } from 'vitest';
import { deliveryId, mayBeOf, timeOf } from '../../src/delivery/delivery-id.ts';

it('names one event on its way to one target, always the same', () => {
  const ref = newRef();
  expect(deliveryId(ref, 'alarms/room')).toBe(deliveryId(ref, 'alarms/room'));
  expect(deliveryId(ref, 'alarms/room')).not.toBe(deliveryId(ref, 'alarms/queue'));
  expect(deliveryId(ref, 'alarms/room')).not.toBe(deliveryId(newRef(), 'alarms/room'));
});

it('tells when its event was received, and whether a ref may be the one', () => {
  const before = Date.now();
  const ref = newRef();
  const id = deliveryId(ref, 'alarms/room');
  expect(timeOf(id)).toBeGreaterThanOrEqual(before);
  expect(timeOf(id)).toBeLessThanOrEqual(Date.now());
  expect(mayBeOf(id, ref)).toBe(true);
  expect(mayBeOf(id, '01900000-0000-7000-8000-000000000000')).toBe(false);
});

it.each(['', 'no id', newRef(), `${newRef()}x`, '01900000-0000-4000-a000-000000000000'])(
  'knows that %s is none',
  (text) => {
    expect(timeOf(text)).toBeUndefined();
  },
);
