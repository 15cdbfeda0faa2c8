import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Sockets } from './sockets.ts';

/** Time requests have to finish once the server closes, ms. */
const GRACE_MS = 2000;

/** Time the framework has once every socket is cut, ms. */
const LAST_MS = 500;

/** The shutdown of a server. */
export interface Closing {
  readonly begun: boolean;
  /**
   * Accepts no more connections, calls `sayGoodbye`, lets requests finish for 2 s or until the signal fires, then cuts
   * the rest. Never hangs, never rejects. Idempotent.
   */
  close(sayGoodbye: () => void, signal: AbortSignal): Promise<void>;
}

/** Makes the shutdown of an application with these sockets. */
export function createClosing(app: FastifyInstance, sockets: Sockets): Closing {
  let closed: Promise<void> | undefined;
  app.addHook('onSend', (_, reply, _payload, done) => {
    if (closed) reply.header('connection', 'close');
    done();
  });

  const close = async (sayGoodbye: () => void, signal: AbortSignal): Promise<void> => {
    sayGoodbye();
    const done = app.close().catch(() => undefined); // Closed either way.
    const ended = new AbortController();
    const patience = sleep(GRACE_MS, undefined, { signal: AbortSignal.any([signal, ended.signal]) });
    await Promise.race([done, patience.catch(() => undefined)]); // The signal ends the waiting.
    ended.abort();
    sockets.cut();
    await Promise.race([done, sleep(LAST_MS, undefined, { ref: false })]);
  };

  return {
    get begun() {
      return closed !== undefined;
    },
    close: (sayGoodbye, signal) => {
      closed ??= close(sayGoodbye, signal);
      return closed;
    },
  };
}
