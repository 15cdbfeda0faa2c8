import { type Loaded, type LoadOptions, loadConfig, renderProblems } from '@magpie/config';
import { Secret } from '@magpie/contract';
import { sampleAdapters } from './sample-adapter.ts';

/** Loads a text as `/etc/magpie/magpie.yaml` with the sample adapters. */
export const load = (text: string, options: Partial<LoadOptions> = {}): Loaded =>
  loadConfig({ path: '/etc/magpie/magpie.yaml', text, adapters: sampleAdapters, env: {}, ...options });

/** The same file with a head that is valid by itself. */
export const loadWith = (text: string, options: Partial<LoadOptions> = {}): Loaded =>
  load(`version: 1\ngateway: { id: a }\n${text}`, options);

/** `line:column message` of every problem. */
export const found = ({ problems, source }: Loaded): string[] =>
  problems.map((problem) => {
    const { line, column } = source.locate(problem);
    return `${line}:${column} ${problem.message}`;
  });

/** What a user is shown. */
export const shown = ({ problems, source }: Loaded): string => renderProblems(problems, source);

/** The parsed settings of the first connection, as the sample adapter declares them. */
export function settings({ config, problems }: Loaded): Readonly<Record<string, unknown>> {
  const [connection] = config?.connections ?? [];
  if (!connection) throw new Error(`nothing loaded: ${JSON.stringify(problems)}`);
  return Object(connection.config);
}

/** The text of a secret setting. */
export const revealed = (value: unknown): string =>
  value instanceof Secret ? value.reveal() : `not a secret: ${value}`;
