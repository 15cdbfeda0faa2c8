import { AuthFailed, Conflict, NotConnected } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { manualClock, scriptedLink, supervise } from './fixtures.ts';

const now = AbortSignal.abort();

describe('the supervisor', () => {
  it('connects, receives and is up', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const link = scriptedLink({});
    supervisor.start(link);
    await clock.advance(0);
    expect(link.calls).toEqual(['connect', 'receive']);
    expect(supervisor.status()).toMatchObject({ state: 'up', attempts: 1 });
    await supervisor.close(now);
  });

  it('waits for a broker that is not up yet, with a growing backoff that it shows', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const down = new NotConnected('connection refused');
    const link = scriptedLink({ connect: [down, down, undefined] });
    supervisor.start(link);
    await clock.advance(0);
    expect(supervisor.status()).toMatchObject({ state: 'waiting', error: { code: 'not-connected' } });
    expect(supervisor.status().nextAttempt).toBeGreaterThanOrEqual(clock.now() + 500);
    await clock.advance(60_000);
    expect(supervisor.status()).toMatchObject({ state: 'up', attempts: 3 });
    expect(supervisor.status().error).toBeUndefined();
    await supervisor.close(now);
  });

  it('slows down and raises an alarm after three refused logins', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const link = scriptedLink({ connect: [new AuthFailed('wrong password')] });
    supervisor.start(link);
    await clock.advance(20_000);
    expect(supervisor.status()).toMatchObject({ state: 'stopped', attempts: 3, alarm: 'wrong password' });
    await clock.advance(59_000);
    expect(supervisor.status().attempts).toBeLessThanOrEqual(4);
    await supervisor.close(now);
  });

  it('does not fight another client for its identity', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const link = scriptedLink({});
    supervisor.start(link);
    await clock.advance(0);
    supervisor.lost(new Conflict('session taken over'));
    await clock.advance(30_000);
    expect(supervisor.status()).toMatchObject({ state: 'stopped', attempts: 1, alarm: 'session taken over' });
    await supervisor.close(now);
  });

  it('cuts and reconnects a link that fails its probe', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const link = scriptedLink({ probe: [undefined, new NotConnected('no answer')] });
    supervisor.start(link);
    await clock.advance(15_000);
    expect(supervisor.status().lastRoundTrip).toBeDefined();
    await clock.advance(10_000);
    expect(link.calls.filter((call) => call === 'close')).toHaveLength(1);
    expect(link.calls.filter((call) => call === 'connect')).toHaveLength(2);
    await supervisor.close(now);
  });

  it('stops reconnecting when it is closed', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const link = scriptedLink({ connect: [new NotConnected('refused')] });
    supervisor.start(link);
    await clock.advance(0);
    await supervisor.close(now);
    const attempts = supervisor.status().attempts;
    await clock.advance(120_000);
    expect(supervisor.status()).toMatchObject({ state: 'closed', attempts });
  });
});
