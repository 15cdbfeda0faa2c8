import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Resident memory of a process as the kernel counts it, in MB. */
export interface Memory {
  readonly now: number;
  /** Since its start, or since `resetPeak`. */
  readonly peak: number;
}

/** Memory of a running process. Throws when it has ended. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

/** Lets the peak of a process begin at what it uses now. */
export const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** Files and sockets that a process holds. Throws when it has ended. */
export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
