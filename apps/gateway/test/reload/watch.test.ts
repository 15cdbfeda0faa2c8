import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { watchFiles } from '../../src/reload/watch.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

const QUIET_MS = 30;

/** Watches a file; counts the changes after the first look. */
async function watching(path: string, pollMs = 60_000) {
  let changes = -1;
  const onChange = (): void => void changes++;
  onTestFinished(watchFiles({ files: () => [path], onChange, quietMs: QUIET_MS, pollMs }));
  await waitFor(() => changes === 0, { what: 'the first look' });
  return {
    changed: (count: number) => waitFor(() => changes === count, { what: `change ${count}` }),
    count: () => changes,
  };
}

test('a file that is written in place has changed', async () => {
  const path = join(temporaryDirectory(), 'a.yaml');
  writeFileSync(path, '1');
  const { changed } = await watching(path);
  writeFileSync(path, '2');
  await changed(1);
  writeFileSync(path, '3');
  await changed(2);
});

test('a file that an editor replaces by renaming has changed, again and again', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'a.yaml');
  writeFileSync(path, '1');
  const { changed } = await watching(path);
  for (const count of [1, 2, 3]) {
    writeFileSync(join(directory, '.a.yaml.swp'), `next ${count}`);
    renameSync(join(directory, '.a.yaml.swp'), path);
    await changed(count);
  }
});

test('a file behind a swapped symbolic link, as Kubernetes mounts it, has changed', async () => {
  const directory = temporaryDirectory();
  const inside = (...parts: string[]) => join(directory, ...parts);
  for (const version of ['..1', '..2']) {
    mkdirSync(inside(version));
    writeFileSync(inside(version, 'a.yaml'), version);
  }
  symlinkSync('..1', inside('..data'));
  symlinkSync(join('..data', 'a.yaml'), inside('a.yaml'));
  const { changed } = await watching(inside('a.yaml'));
  symlinkSync('..2', inside('..data_tmp'));
  renameSync(inside('..data_tmp'), inside('..data'));
  await changed(1);
});

test('writing in several steps is one change, and what else happens in the directory is none', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'a.yaml');
  writeFileSync(path, '1');
  const { changed, count } = await watching(path);
  for (const step of [1, 2, 3, 4]) {
    writeFileSync(path, 'x'.repeat(step));
    await sleep(QUIET_MS / 5);
  }
  await changed(1);
  for (const name of ['b', 'c', 'd']) writeFileSync(join(directory, name), name);
  await sleep(QUIET_MS * 4);
  expect(count()).toBe(1);
});

test('a file in a directory that does not exist yet is found by looking now and then', async () => {
  const directory = join(temporaryDirectory(), 'later');
  const path = join(directory, 'a.yaml');
  const { changed } = await watching(path, 20);
  mkdirSync(directory);
  writeFileSync(path, '1');
  await changed(1);
  rmSync(directory, { recursive: true });
  await changed(2);
});
