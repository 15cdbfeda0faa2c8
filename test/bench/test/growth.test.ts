import { describe, expect, it } from 'vitest';
import { openFilesOf } from '../measure/open-files.ts';
import { exponent, perUnit } from '../measure/slope.ts';
import { growthOf, judge, ratioToFirst } from '../report/growth.ts';
import { failedSize, scale, size } from './scale-results.ts';

const points = (...pairs: [number, number][]) => pairs.map(([at, value]) => ({ size: at, value }));

describe('a slope', () => {
  it('is the exponent of the growth', () => {
    expect(exponent(points([10, 3], [100, 3], [10_000, 3]))).toBeCloseTo(0);
    expect(exponent(points([10, 20], [100, 200], [1000, 2000]))).toBeCloseTo(1);
    expect(exponent(points([1, 5], [4, 10], [16, 20]))).toBeCloseTo(0.5);
    // By hand: logarithms to the base 10 are (0, 0), (1, 0), (2, 1); slope (0·-1 + 1·1 - ...) = 1 / 2.
    expect(exponent(points([1, 1], [10, 1], [100, 10]))).toBeCloseTo(0.5);
  });

  it('leaves out what has no logarithm, and is unknown of fewer than two sizes', () => {
    expect(exponent(points([0, 7], [10, 1], [20, 0], [100, 10]))).toBeCloseTo(1);
    expect(exponent(points([10, 1], [10, 2]))).toBeNaN();
    expect(exponent(points([10, 1]))).toBeNaN();
    expect(exponent([])).toBeNaN();
  });

  it('is what one more unit takes', () => {
    expect(perUnit(points([10, 105], [100, 150], [1000, 600]))).toBeCloseTo(0.5);
    expect(perUnit(points([10, 105], [50, Number.NaN], [100, 150]))).toBeCloseTo(0.5);
    expect(perUnit(points([10, 105]))).toBeNaN();
  });
});

describe('the growth of a series', () => {
  it('is that of the medians of all sizes that were measured', () => {
    const result = scale([size(10, [1, 9, 2], [100]), size(100, [20, 20, 20], [190]), failedSize(1000)]);
    expect(growthOf(result).cost).toBeCloseTo(1);
    expect(growthOf(result).bytesPerUnit).toBeCloseTo(2 ** 20);
    expect(growthOf(scale([size(10, [1], [100]), failedSize(100)])).cost).toBeNaN();
  });

  it('compares with the smallest size in the same round', () => {
    const result = scale([size(10, [1, 2, 4], [1]), size(100, [2, 6, 4], [1]), failedSize(1000)]);
    expect(result.rows.map((row) => ratioToFirst(result, row))).toEqual([undefined, 2, undefined]);
    const broken = scale([failedSize(10), size(100, [2], [1])]);
    expect(ratioToFirst(broken, broken.rows[1]!)).toBeUndefined();
  });

  it('judges ratios and figures by their limits', () => {
    const result = scale([size(10, [1, 2], [100]), size(100, [1.1, 2.2], [164])]);
    const goal = { words: 'w', figure: 'cpu', from: 10, to: 100 };
    expect(judge(result, { ...goal, most: 1.11 })).toEqual({ value: expect.closeTo(1.1), reached: true });
    expect(judge(result, { ...goal, most: 1.09 })).toMatchObject({ reached: false });
    expect(judge(result, { words: 'w', figure: 'memory', to: 100, most: 164 })).toEqual({ value: 164, reached: true });
    expect(judge(result, { words: 'w', figure: 'memory', to: 100, most: 163 })).toMatchObject({ reached: false });
    expect(judge(result, { ...goal, to: 1000, most: 2 })).toBeUndefined();
    expect(judge(scale([size(10, [1], [1]), failedSize(100)]), { ...goal, most: 2 })).toBeUndefined();
  });
});

describe('the limit of open files', () => {
  it('is read from what the system says', () => {
    const text = 'Limit                     Soft Limit           Hard Limit           Units\n';
    expect(openFilesOf(`${text}Max open files            1024                 4096                 files\n`)).toBe(
      1024,
    );
    expect(openFilesOf(`${text}Max open files            unlimited            unlimited            files\n`)).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(openFilesOf(text)).toBeNaN();
  });
});
