import { untilAborted, withDeadline } from '@magpie/adapter-kit';
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

/** Longest time for closing, ms. */
const CLOSE_MS = 5000;

const NO_LINK = 'not connected to the broker';

/** A connection as the supervisor drives it: at most one session at a time. */
export function createConnection(config: AmqpConfig, context: AdapterContext): Connection {
  const { clock } = context;
  let session: Session | undefined;
  let attempt = new AbortController();

  const established = (): Session => {
    if (!session) throw new NotConnected(NO_LINK);
    return session;
  };
  const lost = (gone: Session, error: MagpieError): void => {
    if (session !== gone) return;
    session = undefined;
    context.lost(error);
  };
  const open = async (signal: AbortSignal): Promise<Session> => {
    const opened = await openSession(config, context, lost, signal);
    if (!signal.aborted) return opened;
    opened.cut();
    throw new Aborted('connecting was cancelled', { cause: signal.reason });
  };
  return {
    async connect(signal) {
      attempt = new AbortController();
      const ended = AbortSignal.any([signal, attempt.signal]);
      const deadline = { clock, ms: CONNECT_MS, signal: ended, what: 'connecting', late: () => silent(CONNECT_MS) };
      session = await withDeadline(deadline, open).catch(toLinkError);
    },
    receive: async (sources, sink) => established().receive(sources, sink),
    send: (event, target, signal) =>
      session ? session.send(event, target, signal) : Promise.reject(new NotConnected(NO_LINK)),
    async probe(signal) {
      const { probe } = established();
      const deadline = { clock, ms: PROBE_MS, signal, what: 'the probe', late: () => silent(PROBE_MS) };
      await withDeadline(deadline, (limited) => untilAborted(probe(), limited)).catch(toLinkError);
    },
    async quiesce() {
      await session?.quiesce();
    },
    async close(signal) {
      attempt.abort();
      const closing = session;
      session = undefined;
      if (!closing) return;
      const deadline = { clock, ms: CLOSE_MS, signal, what: 'closing', late: () => silent(CLOSE_MS) };
      // The link is cut even if closing fails.
      await withDeadline(deadline, (limited) => untilAborted(closing.close(), limited)).catch(() => undefined);
      closing.cut();
    },
  };
}

const silent = (ms: number): NotConnected => new NotConnected(`the broker has not answered within ${ms / 1000} s`);

function toLinkError(error: unknown): never {
  throw error instanceof MagpieError ? error : new NotConnected(errorMessage(error), { cause: error });
}
