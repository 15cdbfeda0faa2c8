import { type Clock, type Connection, type MagpieError, nullLogger, type Sink, type Verdict } from '@magpie/contract';
import { SUPERVISOR_TIMES, Supervisor, type SupervisorDeps } from '../src/connections/supervisor.ts';

/** A clock whose time moves only by `advance`, running due timers on the way. */
export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>;
}

export function manualClock(start = 1_000_000): ManualClock {
  let now = start;
  let timers: { at: number; run: () => void }[] = [];
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    now: () => now,
    monotonic: () => now,
    timeout: (ms, run) => {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance: async (ms) => {
      const until = now + ms;
      await settle();
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((other) => other !== next);
        now = next.at;
        next.run();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}

/** A link whose connects and probes end as scripted; the last entry repeats. */
export interface ScriptedLink extends Connection {
  readonly calls: string[];
}

export function scriptedLink(script: {
  readonly connect?: readonly (MagpieError | undefined)[];
  readonly probe?: readonly (MagpieError | undefined)[];
}): ScriptedLink {
  const calls: string[] = [];
  const next = (name: 'connect' | 'probe'): MagpieError | undefined => {
    const entries = script[name] ?? [];
    const count = calls.filter((call) => call === name).length;
    return entries[Math.min(count, entries.length) - 1];
  };
  const step = async (name: 'connect' | 'probe'): Promise<void> => {
    calls.push(name);
    const error = next(name);
    if (error) throw error;
  };
  return {
    calls,
    connect: () => step('connect'),
    receive: async () => void calls.push('receive'),
    send: async () => ({ confirmedBy: 'test' }),
    probe: () => step('probe'),
    quiesce: async () => void calls.push('quiesce'),
    close: async () => void calls.push('close'),
  };
}

/** Stores everything. */
export const storing: Sink = async (batch) => batch.map((): Verdict => ({ type: 'stored' }));

export function supervise(clock: Clock, deps: Partial<SupervisorDeps> = {}): Supervisor {
  return new Supervisor({
    name: 'floor',
    type: 'test',
    clock,
    logger: nullLogger,
    times: SUPERVISOR_TIMES,
    sources: () => [],
    onState: () => undefined,
    ...deps,
  });
}
