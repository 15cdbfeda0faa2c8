import { isoInstant } from '@magpie/contract';
import { Problem } from '../../http/problems/problem.ts';
import { type Resource, resource } from '../deps.ts';
import { orphansOf } from '../targets/routes.ts';
import type { ConfigControl, ConfigInForce, ConfigProblem } from './control.ts';
import { configSchema, reloadQuerySchema, reloadReportSchema } from './schema.ts';

function controlOf(config: ConfigControl | undefined): ConfigControl {
  if (config) return config;
  throw new Problem(404, 'This gateway was not started from a configuration file.');
}

const getConfig = resource({
  method: 'GET',
  url: '/v1/config',
  summary: 'The configuration in force, without secrets',
  needs: { action: 'operate', scope: 'everywhere' },
  schema: { response: { 200: configSchema } },
  problems: [404],
  handler:
    ({ config }) =>
    async () =>
      show(controlOf(config).current()),
});

const reloadConfig = resource({
  method: 'POST',
  url: '/v1/config/reload',
  summary: 'Reload the configuration file, or with `dryRun=true` only report what would change',
  needs: { action: 'edit', scope: 'everywhere' },
  schema: { querystring: reloadQuerySchema, response: { 200: reloadReportSchema } },
  problems: [400, 404, 422, 503],
  handler:
    ({ config, gateway }) =>
    async ({ query: { dryRun } }) => {
      const result = await controlOf(config).reload({ dryRun });
      if (result.type === 'invalid') throw invalidConfig(result.problems);
      const { type, revision, report, restartNeeded, warnings } = result;
      const orphans = await orphansOf(gateway);
      return { applied: type === 'applied', revision, ...report, orphans, restartNeeded, warnings };
    },
});

/** `GET /v1/config` and `POST /v1/config/reload`. */
export const configResources: readonly Resource[] = [getConfig, reloadConfig];

const show = ({ loadedAt, refused, ...rest }: ConfigInForce) => ({
  ...rest,
  loadedAt: isoInstant(loadedAt),
  ...(refused ? { refused: { ...refused, at: isoInstant(refused.at) } } : {}),
});

function invalidConfig(problems: readonly ConfigProblem[]): Problem {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  const where = first ? ` The first is at ${first.file}:${first.line}:${first.column}: ${first.message}.` : '';
  const count = `${errors.length} mistake${errors.length === 1 ? '' : 's'}`;
  const detail = `The configuration has ${count}; the previous one stays in force.${where}`;
  return new Problem(422, detail, { members: { problems } });
}
