import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** What the machine knows of time that outlives a process. */
export interface MachineTime {
  /** Milliseconds since the machine was started; does not follow the wall clock. */
  uptime(): number;
  /** A name for this start of the machine, another one after each; undefined where there is none. */
  boot(): string | undefined;
}

let bootId: string | undefined | null = null;

/** The real machine. Linux names its starts; elsewhere the wall clock alone spans a restart of the gateway. */
export const systemMachine: MachineTime = {
  uptime: () => uptime() * 1000,
  boot: () => {
    if (bootId === null) bootId = readBootId();
    return bootId;
  },
};

function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined; // Another system, or a sandbox without /proc.
  }
}
