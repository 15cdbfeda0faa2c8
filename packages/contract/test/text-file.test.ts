import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_TEXT_FILE, readTextFile, UnreadableFile } from '@magpie/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';

let directory: string;
const at = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'magpie-files-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

it('a file is read as it is, also over a link', () => {
  const text = `${'änder '.repeat(50_000)}ende\r\n`;
  writeFileSync(at('text'), text);
  symlinkSync(at('text'), at('link'));
  expect(readTextFile(at('text'))).toBe(text);
  expect(readTextFile(at('link'))).toBe(text);
  writeFileSync(at('empty'), '');
  expect(readTextFile(at('empty'))).toBe('');
});

it.skipIf(process.platform !== 'linux')('a file whose size is said to be 0 is read to its end', () => {
  expect(readTextFile('/proc/self/status')).toContain('VmRSS');
});

it('a file that is not there is an error of the system', () => {
  expect(() => readTextFile(at('nowhere'))).toThrow(expect.objectContaining({ code: 'ENOENT', syscall: 'open' }));
});

it('a directory is none', () => {
  expect(() => readTextFile(directory)).toThrow(/expected a regular file.* this is a directory/);
});

it.skipIf(process.platform === 'win32')('a device is refused at once', () => {
  expect(() => readTextFile('/dev/zero')).toThrow(/this is a device/);
});

it('a file that is too large is refused, whatever it holds', () => {
  writeFileSync(at('large'), '');
  truncateSync(at('large'), MAX_TEXT_FILE + 1);
  expect(() => readTextFile(at('large'))).toThrow(UnreadableFile);
  truncateSync(at('large'), MAX_TEXT_FILE);
  expect(readTextFile(at('large'))).toHaveLength(MAX_TEXT_FILE);
});
