import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './command.ts';
import { type GeneratedPage, PAGES } from './pages.ts';
import { roomProblems } from './rooms.ts';
import { specificationProblems } from './specifications.ts';

/**
 * Checks that the generated pages of the documentation are what the code says, that the page of the architecture names every
 * folder, and that the tests exist that the list of specifications names; `--write` brings the generated pages up to date.
 * Run as `node --conditions=@magpie/source infra/checks/docs.ts [--write]`; exits with 1 when a page differs.
 */
function main(write: boolean): void {
  const stale = PAGES.filter((page) => readPage(page) !== page.content());
  for (const page of stale) {
    if (write) writePage(page);
    process.stdout.write(`${page.file}: ${write ? 'written' : 'differs from what the code says'}\n`);
  }
  const problems = [...roomProblems(), ...specificationProblems()];
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (!write && stale.length > 0) process.stdout.write('bring them up to date with: npm run docs\n');
  process.exitCode = problems.length > 0 || (!write && stale.length > 0) ? 1 : 0;
}

function readPage({ file }: GeneratedPage): string | undefined {
  try {
    return readFileSync(join(ROOT, file), 'utf8');
  } catch {
    return undefined; // A page that is not there differs.
  }
}

function writePage({ file, content }: GeneratedPage): void {
  mkdirSync(dirname(join(ROOT, file)), { recursive: true });
  writeFileSync(join(ROOT, file), content());
}

main(process.argv.includes('--write'));
