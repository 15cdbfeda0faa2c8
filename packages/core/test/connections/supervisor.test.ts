import { AuthFailed, Conflict, NotConnected } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { SUPERVISOR_TIMES } from '../../src/connections/supervisor.ts';
import { manualClock, scriptedLink, storing, supervise } from '../fixtures.ts';

const now = AbortSignal.abort();

describe('the supervisor', () => {
  it('connects, receives and is up', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const link = scriptedLink({});
    supervisor.start(link, storing);
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
    supervisor.start(link, storing);
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
    supervisor.start(link, storing);
    await clock.advance(20_000);
    expect(supervisor.status()).toMatchObject({ state: 'stopped', attempts: 3, alarm: 'wrong password' });
    await clock.advance(59_000);
    expect(supervisor.status().attempts).toBeLessThanOrEqual(5);
    await supervisor.close(now);
  });

  it('finds within half a minute that the password has been put back', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const refused = new AuthFailed('wrong password');
    const link = scriptedLink({ connect: [refused, refused, refused, undefined] });
    supervisor.start(link, storing);
    await clock.advance(20_000);
    expect(supervisor.status()).toMatchObject({ state: 'stopped', attempts: 3 });
    await clock.advance(15_000);
    expect(supervisor.status()).toMatchObject({ state: 'up', attempts: 4 });
    expect(supervisor.status()).not.toHaveProperty('alarm');
    await supervisor.close(now);
  });

  it('does not wait long for a broker that is restarted to put a login right', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const refused = new AuthFailed('wrong password');
    const down = new NotConnected('connection refused');
    const link = scriptedLink({ connect: [refused, refused, refused, down, down, undefined] });
    supervisor.start(link, storing);
    await clock.advance(20_000);
    expect(supervisor.status()).toMatchObject({ state: 'stopped', attempts: 3 });
    await clock.advance(21_000);
    expect(supervisor.status()).toMatchObject({ state: 'up', attempts: 6 });
    await supervisor.close(now);
  });

  it('does not fight another client for its identity', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    const link = scriptedLink({});
    supervisor.start(link, storing);
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
    supervisor.start(link, storing);
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
    supervisor.start(link, storing);
    await clock.advance(0);
    await supervisor.close(now);
    const attempts = supervisor.status().attempts;
    await clock.advance(120_000);
    expect(supervisor.status()).toMatchObject({ state: 'closed', attempts });
  });

  it('does not wait for ever for sources that are never in place', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock, { times: { ...SUPERVISOR_TIMES, connectTimeout: 20 } });
    const link = { ...scriptedLink({}), receive: () => new Promise<void>(() => undefined) };
    supervisor.start(link, storing);
    await clock.advance(20);
    expect(supervisor.status()).toMatchObject({ state: 'waiting', error: { code: 'not-connected' } });
    await supervisor.close(now);
  });

  it('takes up sources that changed while it was connecting', async () => {
    const clock = manualClock();
    const received: unknown[] = [];
    let wanted = ['old'];
    let inPlace: () => void = () => undefined;
    const source = (name: string) => ({ pattern: { scheme: 's', segments: [] }, options: name });
    const supervisor = supervise(clock, { sources: () => wanted.map(source) });
    const link = {
      ...scriptedLink({}),
      receive: (sources: readonly { options: unknown }[]) => {
        received.push(sources.map(({ options }) => options));
        return new Promise<void>((resolve) => (inPlace = resolve));
      },
    };
    supervisor.start(link, storing);
    await clock.advance(0);
    wanted = ['old', 'new'];
    await supervisor.refresh();
    inPlace();
    await clock.advance(0);
    expect(received).toEqual([['old'], ['old', 'new']]);
    await supervisor.close(now);
  });

  it('slows down for a link that comes and goes', async () => {
    const clock = manualClock();
    const supervisor = supervise(clock);
    supervisor.start(scriptedLink({}), storing);
    for (let round = 0; round < 8; round++) {
      await clock.advance(31_000);
      supervisor.lost(new NotConnected('gone again'));
      await clock.advance(0);
    }
    const steady = supervisor.status().nextAttempt! - clock.now();
    for (let round = 0; round < 8; round++) {
      while (supervisor.status().state !== 'up') await clock.advance(500);
      supervisor.lost(new NotConnected('gone at once'));
      await clock.advance(0);
    }
    const flapping = supervisor.status().nextAttempt! - clock.now();
    expect(steady).toBeLessThanOrEqual(500);
    expect(flapping).toBeGreaterThanOrEqual(500);
    expect(supervisor.status().attempts).toBeLessThan(20);
    await supervisor.close(now);
  });
});
