import { Transient } from '@magpie/contract';
import { expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../src/delivery/circuit-breaker.ts';
import { manualClock } from './fixtures.ts';

it('lets a lane hurry once: what keeps arriving in it does not wear down a target that is out', () => {
  const probed = vi.fn();
  const suspension = new CircuitBreaker(manualClock(), probed);
  for (const key of ['a', 'b', 'a', 'b', 'a']) suspension.isOutage({ key });
  suspension.suspend(new Transient('queue full'));
  for (let arrival = 0; arrival < 100; arrival++) suspension.arrived('c');
  expect(probed).toHaveBeenCalledOnce();
});

it('does not let a lane hurry that has been refused, nor any while the target is open or its link is down', () => {
  const probed = vi.fn();
  const suspension = new CircuitBreaker(manualClock(), probed);
  suspension.arrived('c');
  for (const key of ['a', 'b', 'a', 'b', 'a']) suspension.isOutage({ key });
  suspension.suspend(new Transient('queue full'));
  suspension.arrived('a');
  expect(probed).not.toHaveBeenCalled();
});
