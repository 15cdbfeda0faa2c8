import {
  Aborted,
  type AdapterContext,
  type Connection,
  errorMessage,
  MagpieError,
  NotConnected,
} from '@magpie/contract';
import type { AmqpConfig } from './config.ts';
import { openSession, type Session } from './session.ts';

/** One attempt to connect ends within this time, ms. */
const CONNECT_MS = 30_000;

/** Longest wait for an answer to a probe, ms. */
const PROBE_MS = 10_000;

/** Longest goodbye, ms. */
const CLOSE_MS = 5000;

const NO_LINK = 'not connected to the broker';

/** A connection as the supervisor drives it: at most one session at a time. */
export function createConnection(config: AmqpConfig, context: AdapterContext): Connection {
  let session: Session | undefined;
  let attempt: AbortController | undefined;

  const established = (): Session => {
    if (!session) throw new NotConnected(NO_LINK);
    return session;
  };
  const lost = (gone: Session, error: MagpieError): void => {
    if (session !== gone) return;
    session = undefined;
    context.lost(error);
  };
  return {
    async connect(signal) {
      const current = new AbortController();
      attempt = current;
      const { limited, release } = limit(context, signal, CONNECT_MS, current);
      try {
        session = await openSession(config, context, lost, limited);
      } catch (error) {
        throw connectError(error, signal, current);
      } finally {
        release();
        attempt = undefined;
      }
    },
    receive: async (sources, sink) => established().receive(sources, sink),
    send: (event, target, signal) =>
      session ? session.send(event, target, signal) : Promise.reject(new NotConnected(NO_LINK)),
    async probe(signal) {
      const probing = new AbortController();
      const { limited, release } = limit(context, signal, PROBE_MS, probing);
      try {
        await Promise.race([established().probe(), aborted(limited)]);
      } catch (error) {
        if (signal.aborted) throw new Aborted('the probe was cancelled', { cause: signal.reason });
        if (limited.aborted) throw new NotConnected(`the broker has not answered within ${PROBE_MS / 1000} s`);
        throw error instanceof MagpieError ? error : new NotConnected(errorMessage(error), { cause: error });
      } finally {
        release();
      }
    },
    async quiesce() {
      await session?.quiesce();
    },
    async close(signal) {
      attempt?.abort();
      const closing = session;
      session = undefined;
      if (!closing) return;
      const { limited, release } = limit(context, signal, CLOSE_MS, new AbortController());
      await Promise.race([closing.close(), aborted(limited).catch(() => undefined)]);
      release();
      closing.cut();
    },
  };
}

/** A signal that fires with the caller's or after `ms`. `release` frees the timer and the listener. */
function limit(
  { clock }: AdapterContext,
  signal: AbortSignal,
  ms: number,
  controller: AbortController,
): { limited: AbortSignal; release: () => void } {
  const stop = (): void => controller.abort(signal.reason);
  const cancel = clock.timeout(ms, () => controller.abort(new Error('too late')));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const release = (): void => {
    cancel();
    signal.removeEventListener('abort', stop);
  };
  return { limited: controller.signal, release };
}

/** Never resolves; rejects when the signal fires. */
function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(new Aborted('cancelled'));
  else signal.addEventListener('abort', () => reject(new Aborted('cancelled')), { once: true });
  return promise;
}

/** `Aborted` is the caller's doing; the time limit of an attempt is the broker's. */
function connectError(error: unknown, signal: AbortSignal, attempt: AbortController): MagpieError {
  if (signal.aborted) return new Aborted('connecting was cancelled', { cause: signal.reason });
  if (attempt.signal.reason instanceof Error && attempt.signal.reason.message === 'too late') {
    return new NotConnected(`the broker has not answered within ${CONNECT_MS / 1000} s`, { cause: error });
  }
  return error instanceof MagpieError ? error : new NotConnected(errorMessage(error), { cause: error });
}
