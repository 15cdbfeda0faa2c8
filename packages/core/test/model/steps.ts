import fc from 'fast-check';
import type { TargetConfig, TargetName, Wanted } from './plan.ts';

/** What may happen, in any order. Picks are taken modulo what there is. */
export type Step =
  | {
      readonly act: 'publish';
      readonly key: number;
      readonly count: number;
      readonly ttl: number;
      readonly size: number;
      /** The target whose link ends at each attempt to send it. */
      readonly poison?: TargetName | undefined;
    }
  | { readonly act: 'repeat'; readonly pick: number }
  | { readonly act: 'confirm'; readonly target: TargetName; readonly pick: number; readonly count: number }
  | {
      readonly act: 'fail';
      readonly target: TargetName;
      readonly pick: number;
      readonly error: number;
      readonly count: number;
    }
  | { readonly act: 'link'; readonly target: TargetName; readonly up: boolean }
  | { readonly act: 'place'; readonly target: TargetName; readonly key: number; readonly takes: boolean }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'disk'; readonly holds: boolean }
  | { readonly act: 'crash'; readonly written: number }
  | { readonly act: 'restart'; readonly answering: boolean }
  | { readonly act: 'retry'; readonly pick: number; readonly edited: boolean }
  | { readonly act: 'retry all' | 'drop all'; readonly target: TargetName; readonly reason: number }
  | { readonly act: 'drop'; readonly pick: number }
  | { readonly act: 'reload'; readonly target: TargetName; readonly config: TargetConfig | undefined }
  | { readonly act: 'retain'; readonly maxBytes: number };

/** Everything a run follows from. */
export interface Script {
  readonly seed: number;
  readonly wanted: Wanted;
  readonly steps: readonly Step[];
}

const target: fc.Arbitrary<TargetName> = fc.constantFrom('a', 'b');
const pick = fc.nat(9);

const config: fc.Arbitrary<TargetConfig> = fc.record({
  order: fc.constantFrom('key' as const, 'key' as const, 'strict' as const, 'none' as const),
  then: fc.constantFrom('dead-letter' as const, 'dead-letter' as const, 'drop' as const, 'block' as const),
  attempts: fc.integer({ min: 1, max: 4 }),
  maxAge: fc.constantFrom(3_600_000, 3_600_000, 20_000),
  onFull: fc.constantFrom('block' as const, 'dead-letter' as const, 'drop' as const),
  backlogBytes: fc.constantFrom(1_000_000, 1_000_000, 400, 100),
  start: fc.constantFrom('now' as const, 'earliest' as const),
  window: fc.constantFrom(1, 2, 8),
});

const act = <Name extends Step['act']>(name: Name) => fc.constant(name);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      act: act('publish'),
      key: fc.nat(2),
      count: fc.constantFrom(1, 1, 1, 2, 3, 12),
      ttl: fc.constantFrom(0, 0, 0, 0, 1, 5000),
      size: fc.constantFrom(4, 4, 4, 40),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: act('publish'),
      key: fc.nat(2),
      count: fc.constant(1),
      ttl: fc.constant(0),
      size: fc.constant(4),
      poison: target,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: act('repeat'), pick }) },
  { weight: 12, arbitrary: fc.record({ act: act('confirm'), target, pick, count: fc.constantFrom(1, 1, 2, 8) }) },
  {
    weight: 9,
    arbitrary: fc.record({ act: act('fail'), target, pick, error: fc.nat(7), count: fc.constantFrom(1, 1, 2, 8) }),
  },
  { weight: 3, arbitrary: fc.record({ act: act('link'), target, up: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ act: act('place'), target, key: fc.nat(2), takes: fc.boolean() }) },
  {
    weight: 9,
    arbitrary: fc.record({
      act: act('wait'),
      ms: fc.constantFrom(0, 12, 12, 150, 150, 1000, 3000, 25_000, 90_000_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: act('disk'), holds: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: act('crash'), written: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ act: act('restart'), answering: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: act('retry'), pick, edited: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ act: act('retry all'), target, reason: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ act: act('drop'), pick }) },
  { weight: 1, arbitrary: fc.record({ act: act('drop all'), target, reason: fc.nat(4) }) },
  {
    weight: 3,
    arbitrary: fc.record({ act: act('reload'), target, config: fc.option(config, { nil: undefined, freq: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ act: act('retain'), maxBytes: fc.constantFrom(0, 600) }) },
);

/** Scripts with at most so many steps. */
export const scripts = (maxLength: number): fc.Arbitrary<Script> =>
  fc.record({
    seed: fc.nat(),
    wanted: fc.record({ a: config, b: fc.option(config, { nil: undefined, freq: 4 }) }),
    steps: fc.array(step, { minLength: 5, maxLength, size: 'max' }),
  });
