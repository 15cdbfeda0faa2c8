import { ensureBrokers } from '../brokers/src/index.ts';
import { benchStep } from './bench-step.ts';
import { CRUISE_ALL, checkPlantedViolations } from './import-rules.ts';
import { findProtocolWords } from './protocol-words.ts';
import { commandStep, functionStep, type Step } from './step.ts';
import { vitestStep } from './vitest-step.ts';

/** Installs what is missing where that is possible; says what to do where it is not. */
async function prepareBrokers(): Promise<string | undefined> {
  const { missing, reason } = await ensureBrokers({
    progress: (sentence) => process.stdout.write(`    ${sentence}\n`),
  });
  return missing.length === 0 ? undefined : reason;
}

/** Everything `npm test` does before it looks for what is left, in order. Cheap and telling checks first, real brokers last. */
export const STEPS: readonly Step[] = [
  functionStep('brokers', prepareBrokers),
  commandStep('build', 'tsc', ['-b']),
  commandStep('types of tests', 'tsc', ['-p', 'tsconfig.tests.json']),
  commandStep('biome', 'biome', ['check', '.']),
  commandStep('oxlint', 'oxlint', ['--type-aware']),
  commandStep('import rules', 'depcruise', CRUISE_ALL),
  functionStep('import rules refuse planted imports', checkPlantedViolations),
  functionStep('no protocol words in the core', () => findProtocolWords()),
  commandStep('unused code', 'knip', ['--no-config-hints']),
  commandStep('generated pages', 'node', ['--conditions=@magpie/source', 'infra/checks/docs.ts']),
  vitestStep('unit', 600_000),
  // These wait for brokers half of their time.
  vitestStep('contract', 400_000, 3),
  vitestStep('integration', 400_000, 3),
  vitestStep('security', 400_000),
  vitestStep('reliability', 600_000),
  benchStep,
];
