import { createLineLogger, NotConnected, Transient } from '@magpie/contract';
import type { Target } from '@magpie/routing';
import { expect, it } from 'vitest';
import type { Delivery } from '../../src/delivery/delivery.ts';
import { createRefusalLog } from '../../src/delivery/suspension/refusal-log.ts';

/** The parts of a target and a delivery that are read here. */
const target = { consumer: 'orders/erp', connection: 'erp' } as Target;
const delivery = (ref: string) => ({ event: { ref } }) as Delivery;

it('a place that takes nothing, and a message that is refused, are one line with connection, place, ref and reason in a minute', () => {
  const lines: [string, object, string][] = [];
  let now = 0;
  const log = createRefusalLog(
    createLineLogger((level, fields, message) => void lines.push([level, fields, message])),
    { monotonic: () => now },
  );
  const missing = new NotConnected('queue "x" does not exist').concerning('place');
  for (const ref of ['1', '2', '3']) log.placeSuspended(target, 'queue:x', delivery(ref), missing);
  log.placeSuspended(target, 'queue:y', delivery('4'), missing);
  for (const ref of ['5', '6']) log.refused(target, delivery(ref), new Transient('busy'));
  expect(lines.filter(([level]) => level === 'warn').map(([, fields]) => fields)).toMatchObject([
    { connection: 'erp', target: 'orders/erp', place: 'queue:x', ref: '1', error: 'not-connected' },
    { place: 'queue:y', ref: '4', reason: 'queue "x" does not exist' },
    { connection: 'erp', target: 'orders/erp', ref: '5', error: 'transient', reason: 'busy' },
  ]);
  now = 60_000;
  log.placeSuspended(target, 'queue:x', delivery('7'), missing);
  expect(lines.at(-1)?.[2]).toBe(
    'queue:x takes nothing from orders/erp, what goes there waits: queue "x" does not exist (and 2 more before)',
  );
});
