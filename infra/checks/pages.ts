import { ADAPTERS } from '../../apps/gateway/src/adapters.ts';
import { httpReference } from '../../packages/api/src/index.ts';
import { configReference } from '../../packages/config/src/index.ts';
import { ERROR_CLASSES, type ErrorClass } from '../../packages/contract/src/index.ts';
import { telemetryReference } from '../../packages/telemetry/src/index.ts';
import { reliabilityPage } from '../../test/reliability/runner/page.ts';
import { recordedRuns } from '../../test/reliability/runner/record.ts';
import { securityPage } from '../../test/security/runner/page.ts';
import { recordedRuns as recordedSecurityRuns } from '../../test/security/runner/record.ts';
import { protocolPages } from './protocol-pages.ts';
import { DOAP_FILE, doap } from './specifications.ts';

/** A page of the documentation that is made from the code. */
export interface GeneratedPage {
  /** Path from the root of the repository. */
  readonly file: string;
  content(): string;
}

/** All generated pages. A page made from another table is one more entry here. */
export const PAGES: readonly GeneratedPage[] = [
  { file: 'apps/docs/configuration.md', content: () => configReference(ADAPTERS) },
  { file: 'apps/docs/metrics.md', content: telemetryReference },
  { file: 'apps/docs/errors.md', content: errorsPage },
  ...protocolPages(ADAPTERS),
  { file: DOAP_FILE, content: () => doap() },
  { file: 'apps/docs/protocols/http.md', content: httpReference },
  { file: 'apps/docs/reliability.md', content: () => reliabilityPage(recordedRuns()) },
  { file: 'apps/docs/security-tested.md', content: () => securityPage(recordedSecurityRuns()) },
];

function errorsPage(): string {
  const classes: readonly (readonly [string, ErrorClass])[] = Object.entries(ERROR_CLASSES);
  const rows = classes.map(
    ([name, { code, retryable, suspends, meaning }]) =>
      `| \`${name}\` | \`${code}\` | ${retryable ? 'yes' : 'no'} | ${suspends ? 'yes' : 'no'} | ${meaning} |`,
  );
  return `# Errors

<!-- Generated from the table in packages/contract by infra/checks/docs.ts; do not edit. -->

Everything an adapter may throw is one of these classes. Logs, status and dead letters name the class; metrics and problem
details carry the code. "Tried again" says whether another attempt can help. "Suspends the target" marks an outage: it holds
back all deliveries of the target and costs none of them an attempt.

| Class | Code | Tried again | Suspends the target | Meaning |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
