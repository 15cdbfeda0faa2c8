import { Transient } from '@magpie/contract';
import { expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../src/delivery/suspension/circuit-breaker.ts';
import { WakeUp } from '../../src/delivery/wake-up.ts';
import { manualClock } from '../fixtures.ts';

it('lets a lane hurry once: what keeps arriving in it does not wear down a target that is out', () => {
  const probed = vi.fn();
  const wake = new WakeUp();
  wake.listen(probed);
  const breaker = new CircuitBreaker(manualClock(), wake);
  for (const key of ['a', 'b', 'a', 'b', 'a']) breaker.isOutage({ key });
  breaker.suspend(new Transient('queue full'));
  for (let arrival = 0; arrival < 100; arrival++) breaker.arrived('c');
  expect(probed).toHaveBeenCalledOnce();
});

it('does not let a lane hurry that has been refused, nor any while the target is open or its link is down', () => {
  const probed = vi.fn();
  const wake = new WakeUp();
  wake.listen(probed);
  const breaker = new CircuitBreaker(manualClock(), wake);
  breaker.arrived('c');
  for (const key of ['a', 'b', 'a', 'b', 'a']) breaker.isOutage({ key });
  breaker.suspend(new Transient('queue full'));
  breaker.arrived('a');
  expect(probed).not.toHaveBeenCalled();
});
