import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

/** Every project runs TypeScript sources directly: packages resolve to `src` through the `@magpie/source` condition. */
const conditions = ['@magpie/source'];

const project = (name: string, include: string[], extra: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include, ...extra },
});

/** A fault of the long form is one test and is repeated for hours; each wait inside it has a limit of its own. */
const RELIABILITY_TIMEOUT_MS = process.env.MAGPIE_RELIABILITY === 'long' ? 12 * 3_600_000 : 300_000;

/** An attack goes on for seconds in the short form, for minutes in the long one. */
const SECURITY_TIMEOUT_MS = process.env.MAGPIE_SECURITY === 'long' ? 600_000 : 120_000;

export default defineConfig({
  ssr: { resolve: { conditions: [...conditions, ...defaultServerConditions] } },
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    execArgv: ['--conditions=@magpie/source', '--disable-warning=ExperimentalWarning'],
    projects: [
      project(
        'unit',
        [
          '{apps,packages}/*/test/**/*.test.ts',
          'infra/*/test/**/*.test.ts',
          'test/{bench,{reliability,security}/runner}/**/*.test.ts',
        ],
        {
          exclude: ['**/*.contract.test.ts', '**/*.broker.test.ts', '**/node_modules/**'],
          // A limit for what hangs: property tests and processes take their time on a loaded machine.
          testTimeout: 30_000,
        },
      ),
      project('contract', ['packages/*/test/**/*.contract.test.ts'], { testTimeout: 60_000, hookTimeout: 120_000 }),
      project('integration', ['test/integration/**/*.test.ts', '{apps,packages,infra}/*/test/**/*.broker.test.ts'], {
        globalSetup: ['packages/testkit/src/brokers/global-brokers.ts'],
        testTimeout: 60_000,
        hookTimeout: 120_000,
      }),
      project('security', ['test/security/!(runner)/*.test.ts'], {
        globalSetup: ['packages/testkit/src/brokers/global-brokers.ts'],
        testTimeout: SECURITY_TIMEOUT_MS,
        hookTimeout: 120_000,
      }),
      project('reliability', ['test/reliability/!(runner)/*.test.ts'], {
        testTimeout: RELIABILITY_TIMEOUT_MS,
        hookTimeout: 120_000,
      }),
    ],
  },
});
