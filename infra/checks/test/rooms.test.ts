import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { roomProblems } from '../rooms.ts';

describe('the page of the architecture', () => {
  it('has a sentence about every folder with sources, and names none that is not there', () => {
    expect(roomProblems()).toEqual([]);
  });
});

describe('a repository whose page is not up to date', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'magpie-rooms-'));
    mkdirSync(join(root, 'apps/docs'), { recursive: true });
    mkdirSync(join(root, 'packages/core/src/new'), { recursive: true });
    for (const file of ['index.ts', 'new/thing.ts']) writeFileSync(join(root, 'packages/core/src', file), '');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const row = (folder: string, sentence: string, link = `../../${folder}`): string =>
    `| [\`${folder}\`](${link}) | ${sentence} |`;
  const problemsOf = (...rows: readonly string[]): readonly string[] => {
    writeFileSync(join(root, 'apps/docs/architecture.md'), `${rows.join('\n')}\n`);
    return roomProblems(root);
  };

  it('finds a folder without a row', () => {
    expect(problemsOf(row('packages/core/src', 'The core.'))).toEqual([
      'apps/docs/architecture.md: the folder packages/core/src/new has no row with a sentence about it',
    ]);
  });

  it('finds a row without a folder or sentence, or with a wrong link', () => {
    const rows = [
      row('packages/core/src', 'core'),
      row('packages/core/src/new', 'New.', '../../packages/core'),
      row('packages/gone/src', 'Gone.'),
    ];
    expect(problemsOf(...rows).map((line) => line.replace('apps/docs/architecture.md: ', ''))).toEqual([
      'the row of packages/core/src has no sentence',
      'the link of packages/core/src/new leads elsewhere: ../../packages/core',
      'the folder packages/gone/src does not exist',
    ]);
  });
});
