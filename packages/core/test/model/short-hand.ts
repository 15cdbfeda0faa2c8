import type { TargetConfig, TargetName } from './plan.ts';
import type { Step } from './steps.ts';

/** A target that refuses nothing and keeps everything, but for what is said. */
export const target = (more: Partial<TargetConfig> = {}): TargetConfig => ({
  order: 'key',
  then: 'dead-letter',
  attempts: 1,
  maxAge: 3_600_000,
  onFull: 'block',
  backlogBytes: 1_000_000,
  start: 'now',
  window: 1,
  ...more,
});

/** Messages of one key; `size` is that of a body, `ttl` in ms, 0 for none. */
export const publish = (count: number, { key = 0, size = 4, ttl = 0 } = {}): Step => ({
  act: 'publish',
  key,
  count,
  ttl,
  size,
});

/** The oldest open send to a target is confirmed. */
export const confirm = (name: TargetName): Step => ({ act: 'confirm', target: name, pick: 0, count: 1 });

/** The oldest open send to a target is refused for now. */
export const refuse = (name: TargetName): Step => ({ act: 'fail', target: name, pick: 0, error: 0, count: 1 });

/** What became of the oldest open send to a target is not known. */
export const lose = (name: TargetName): Step => ({ act: 'fail', target: name, pick: 0, error: 5, count: 1 });

/** A target is changed, removed or brought back. */
export const reload = (name: TargetName, config?: TargetConfig): Step => ({ act: 'reload', target: name, config });

/** A dead letter is tried again, by its place in the list. */
export const retry = (pick = 0): Step => ({ act: 'retry', pick, edited: false });

/** Time passes. */
export const wait = (ms: number): Step => ({ act: 'wait', ms });

/** The process is gone, and what waited for the disk with it. */
export const crash: Step = { act: 'crash', written: 0 };

/** An ordered end and a new start. */
export const restart: Step = { act: 'restart', answering: false };

/** A link is cut, or can be made again. */
export const link = (name: TargetName, up: boolean): Step => ({ act: 'link', target: name, up });

/** From now on the disk is slow, or not. */
export const disk = (holds: boolean): Step => ({ act: 'disk', holds });
