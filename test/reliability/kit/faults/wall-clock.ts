import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The wall clock of a gateway, and of nothing else. */
export interface WallClock {
  /** What the gateway's runtime has to be started with. */
  readonly nodeFlags: readonly string[];
  /** How far it is off now, in ms. */
  readonly offset: number;
  /** Sets it forward, or back when negative; for all threads at once, also for gateways started later. */
  step(ms: number): void;
  remove(): void;
}

/** Makes a clock that is right until it is set. */
export function openWallClock(): WallClock {
  const directory = mkdtempSync(join(tmpdir(), 'magpie-clock-'));
  const path = join(directory, 'offset');
  const file = openSync(path, 'w');
  const bytes = Buffer.alloc(8);
  const module = new URL('./shifted-clock.ts', import.meta.url);
  module.searchParams.set('offset', pathToFileURL(path).href);
  let offset = 0;
  const set = (ms: number): void => {
    offset = ms;
    bytes.writeDoubleLE(ms);
    writeSync(file, bytes, 0, 8, 0);
  };
  set(0);
  return {
    nodeFlags: ['--import', module.href],
    get offset() {
      return offset;
    },
    step: (ms) => set(offset + ms),
    remove: () => {
      closeSync(file);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A step in words: `+1 h`. */
export function describeStep(ms: number): string {
  const sign = ms < 0 ? '-' : '+';
  const [size, unit] = Math.abs(ms) >= DAY ? [DAY, 'd'] : Math.abs(ms) >= HOUR ? [HOUR, 'h'] : [1000, 's'];
  return `${sign}${Math.round((Math.abs(ms) / size) * 10) / 10} ${unit}`;
}
