import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, runCommand } from './command.ts';
import { CHECK_TIMEOUT_MS } from './step.ts';

/** Arguments of dependency-cruiser before the paths. */
const CRUISE = ['--config', 'infra/checks/dependency-cruiser.cjs'] as const;

/** What the import rules are checked on. */
export const CRUISE_ALL = [...CRUISE, 'packages', 'apps', 'infra', 'test'] as const;

/** An import that must be refused, and the rule that must refuse it; a cycle is reported once, at one of its files. */
interface Plant {
  readonly file: string;
  readonly imports: string;
  readonly rule?: string;
}

/** Names with a dot in front: no build, no test and no package sees them while they exist. */
const PLANTS: readonly Plant[] = [
  { file: 'packages/core/src/.planted/by-name.ts', imports: '@magpie/adapter-memory', rule: 'core-imports' },
  {
    file: 'packages/core/src/.planted/by-path.ts',
    imports: '../../../adapter-mqtt/src/index.ts',
    rule: 'core-imports',
  },
  {
    file: 'packages/core/src/connections/.planted/stage.ts',
    imports: '../../delivery/lanes.ts',
    rule: 'core-connections-imports',
  },
  { file: 'packages/core/src/.planted/library.ts', imports: 'mqtt', rule: 'no-client-library-outside-adapters' },
  { file: 'packages/contract/src/.planted/library.ts', imports: 'vitest', rule: 'contract-libraries' },
  { file: 'packages/adapter-memory/src/.planted/by-name.ts', imports: '@magpie/testkit', rule: 'adapter-*-imports' },
  { file: 'packages/adapter-memory/src/.planted/other.ts', imports: '@magpie/adapter-mqtt', rule: 'adapter-*-imports' },
  {
    file: 'packages/adapter-kit/src/.planted/adapter.ts',
    imports: '@magpie/adapter-memory',
    rule: 'adapter-kit-imports',
  },
  {
    file: 'packages/api/src/.planted/app.ts',
    imports: '../../../../apps/gateway/src/index.ts',
    rule: 'nobody-imports-apps',
  },
  { file: 'packages/testkit/src/.planted/program.ts', imports: 'node:child_process', rule: 'one-process-helper' },
  { file: 'packages/bus/src/.planted/cycle.ts', imports: './cycle-back.ts' },
  { file: 'packages/bus/src/.planted/cycle-back.ts', imports: './cycle.ts', rule: 'no-cycles' },
];

/**
 * Proves that the import rules refuse what they should: plants forbidden imports, by workspace name, by path and of npm
 * packages, expects each to be reported by its rule, and removes them whatever happens. A tool that silently sees no
 * TypeScript would pass every other check.
 */
export async function checkPlantedViolations(): Promise<string | undefined> {
  try {
    for (const { file, imports } of PLANTS) plant(file, imports);
    const files = PLANTS.map(({ file }) => file);
    const { code, output } = await runCommand('depcruise', [...CRUISE, ...files], CHECK_TIMEOUT_MS);
    const missed = PLANTS.filter(({ file, rule }) => rule && !output.includes(`error ${rule}: ${file} → `));
    if (missed.length === 0 && code !== 0) return undefined;
    return `planted imports that were not refused:\n${missed.map(describePlant).join('\n')}\nexit code ${code}, output:\n${output}`;
  } finally {
    removePlants();
  }
}

/** Removes the planted files; also called when the run is interrupted. */
export function removePlants(): void {
  for (const { file } of PLANTS) rmSync(dirname(join(ROOT, file)), { recursive: true, force: true });
}

function plant(file: string, imports: string): void {
  const path = join(ROOT, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `import '${imports}';\n`);
}

const describePlant = ({ file, imports, rule }: Plant): string =>
  `  ${file} imports ${imports}: expected a report by ${rule}`;
