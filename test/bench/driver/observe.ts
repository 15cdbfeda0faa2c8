import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { ThroughputResult } from './specification.ts';

/** Clock ticks per second in /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // The process has ended, or this is no Linux: there is nothing to report.
  }
};

/** CPU seconds that a process has used; from the text of its /proc/<pid>/stat. */
export function cpuOf(stat: string): number {
  // The program's name may contain anything, also blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory in MB; from the text of /proc/<pid>/status. */
export const memoryOf = (status: string): number => Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;

/** Most resident memory that a process has had since it was started, in MB; from the text of /proc/<pid>/status. */
export const peakMemoryOf = (status: string): number => Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;

/** CPU seconds of everything on the machine; from the text of /proc/stat. */
export function machineCpu(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = stat
    .split('\n')[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / TICKS;
}

/** CPU seconds that a process has used so far; NaN when it is gone. */
export const cpuOfProcess = (pid: number): number => cpuOf(read(`/proc/${pid}/stat`) ?? '');

/** Resident memory of a process now and at its peak, in MB; NaN when it is gone. */
export function memoryOfProcess(pid: number): { readonly now: number; readonly peak: number } {
  const status = read(`/proc/${pid}/status`);
  if (status === undefined) return { now: Number.NaN, peak: Number.NaN };
  return { now: memoryOf(status), peak: peakMemoryOf(status) };
}

type Observed = Pick<ThroughputResult, 'seconds' | 'cpu' | 'memory' | 'machine' | 'generator'>;

/** Starts to observe processes by id; `end` gives what they used since. */
export function observe(pids: Readonly<Record<string, number>>): { end(): Observed } {
  const cpu = (): Record<string, number> =>
    Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuOfProcess(pid)]));
  const machine = (): number => machineCpu(read('/proc/stat') ?? '');
  const [start, before, all, own, loop] = [
    performance.now(),
    cpu(),
    machine(),
    process.cpuUsage(),
    performance.eventLoopUtilization(),
  ];
  return {
    end: () => {
      const seconds = (performance.now() - start) / 1000;
      const after = cpu();
      const used = process.cpuUsage(own);
      const driver = (used.user + used.system) / 1e6;
      return {
        seconds,
        cpu: {
          ...Object.fromEntries(Object.keys(pids).map((name) => [name, after[name]! - before[name]!])),
          generator: driver,
        },
        memory: Object.fromEntries(
          Object.entries(pids).map(([name, pid]) => [name, memoryOf(read(`/proc/${pid}/status`) ?? '')]),
        ),
        machine: machine() - all,
        generator: { cores: driver / seconds, busy: performance.eventLoopUtilization(loop).utilization },
      };
    },
  };
}
