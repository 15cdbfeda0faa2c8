import { LOG_FIELDS } from '@magpie/contract';
import { LABELS, METRICS, type MetricDefinition } from './metric-table.ts';

/** The reference page of metrics and log fields, as Markdown. Deterministic: it is kept under version control. */
export const telemetryReference = (): string => `# Metrics and logs

<!-- Generated from the tables in packages/telemetry by infra/checks/docs.ts; do not edit. -->

## Metrics

\`GET /metrics\` answers in the Prometheus text form. Labels are names from the configuration and closed sets of words, never a
topic, an address or a client id, so the number of series is bounded by the configuration.

| Metric | Type | Labels | Meaning |
|---|---|---|---|
${Object.values(METRICS).map(metricRow).join('\n')}

| Label | Meaning |
|---|---|
${Object.entries(LABELS)
  .map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  .join('\n')}

The usual \`process_…\` and \`nodejs_…\` metrics of the process come with them.

## Log fields

\`magpie run\` writes one JSON object per line to standard output, with \`level\`, \`time\` (ISO 8601), \`msg\` and, where they apply,
these fields. Bodies and secrets are never logged.

| Field | Meaning |
|---|---|
${Object.entries(LOG_FIELDS)
  .map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  .join('\n')}
`;

function metricRow({ name, type, labels, help }: MetricDefinition): string {
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
}
