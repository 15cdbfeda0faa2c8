import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { leakCheck } from '../src/index.ts';

describe('leakCheck', () => {
  it('passes when everything opened was closed, even a little later', async () => {
    const leaks = leakCheck();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const timer = setInterval(() => undefined, 1000);
    setTimeout(() => {
      server.close();
      clearInterval(timer);
    }, 50);
    await leaks.expectNone();
  });

  it('names a server that was left listening', async () => {
    const leaks = leakCheck();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    await expect(leaks.expectNone(50)).rejects.toThrow('1 TCPServerWrap');
    server.close();
  });

  it('names timers that were left running', async () => {
    const leaks = leakCheck();
    // More than the test runner may have had of its own when the check began and that ended meanwhile.
    const timers = Array.from({ length: 20 }, () => setInterval(() => undefined, 1000));
    await expect(leaks.expectNone(50)).rejects.toThrow(/\d Timeout/);
    timers.forEach(clearInterval);
  });
});
