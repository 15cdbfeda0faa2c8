import { readFile } from 'node:fs/promises';
import { residentMegabytes } from './probe.ts';

const SAMPLE_MS = 250;

/** How much memory and CPU time a process used over a while. */
export interface Usage {
  /** Resident memory at first, in MB. */
  readonly first: number;
  /** Median of the resident memory in MB. */
  readonly usual: number;
  /** Most resident memory in MB. */
  readonly peak: number;
  /** The same of the first half of the time. */
  readonly earlyPeak: number;
  /** How fast the resident memory grew, in MB a minute: the slope of a line fitted to all samples. */
  readonly slope: number;
  /** Seconds of CPU time. */
  readonly cpu: number;
  /** Seconds that it was watched. */
  readonly seconds: number;
}

/** Watches a process until told to stop. */
export async function watchUsage(pid: number): Promise<{ stop(): Promise<Usage> }> {
  const started = performance.now();
  const before = await cpuSeconds(pid);
  const samples: { readonly minute: number; readonly megabytes: number }[] = [];
  const sample = async (): Promise<void> => {
    const megabytes = await residentMegabytes(pid);
    samples.push({ minute: (performance.now() - started) / 60_000, megabytes });
  };
  await sample();
  const timer = setInterval(() => void sample().catch(() => clearInterval(timer)), SAMPLE_MS); // it ended: stop says so
  return {
    stop: async () => {
      clearInterval(timer);
      await sample();
      const early = samples.slice(0, Math.ceil(samples.length / 2));
      const sorted = samples.map(({ megabytes }) => megabytes).sort((a, b) => a - b);
      return {
        first: samples[0]!.megabytes,
        usual: sorted[sorted.length >> 1]!,
        peak: sorted.at(-1)!,
        earlyPeak: Math.max(...early.map(({ megabytes }) => megabytes)),
        slope: slopeOf(samples),
        cpu: (await cpuSeconds(pid)) - before,
        seconds: (performance.now() - started) / 1000,
      };
    },
  };
}

function slopeOf(samples: readonly { readonly minute: number; readonly megabytes: number }[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(({ minute }) => minute)), mean(samples.map(({ megabytes }) => megabytes))];
  const spread = samples.reduce((sum, { minute }) => sum + (minute - x) ** 2, 0);
  const common = samples.reduce((sum, { minute, megabytes }) => sum + (minute - x) * (megabytes - y), 0);
  return spread === 0 ? 0 : common / spread;
}

/** The kernel counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used so far, in seconds. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
