import { z } from 'zod';
import { configProblemSchema } from '../../http/problems/problem-schema.ts';
import { orphanSchema } from '../targets/schema.ts';

const names = z.array(z.string());

const restartNeeded = names.describe('Keys that differ in the file and take effect only after a restart.');

/** Answer of `GET /v1/config`. */
export const configSchema = z
  .object({
    file: z.string(),
    revision: z.int().describe('Counts from 1 at start; one more with every reload.'),
    hash: z.string().describe('SHA-256 of the text of the file.'),
    loadedAt: z.string(),
    restartNeeded,
    refused: z
      .object({ at: z.string(), problems: z.array(configProblemSchema) })
      .optional()
      .describe('Set when the last reload was refused; the previous configuration stays in force.'),
    config: z.record(z.string(), z.unknown()).describe('The effective configuration with defaults, without secrets.'),
  })
  .meta({ id: 'Config' });

/** Query of `POST /v1/config/reload`. */
export const reloadQuerySchema = z.strictObject({
  dryRun: z.stringbool({ error: 'expected true or false' }).default(false).describe('Only report what would change.'),
});

/** Answer of `POST /v1/config/reload`. */
export const reloadReportSchema = z
  .object({
    applied: z.boolean().describe('False after a dry run.'),
    revision: z.int().describe('The revision in force now.'),
    connections: z.object({
      added: names,
      removed: names,
      changed: names.describe('Reconnected, because one of their keys changed.'),
      unchanged: names,
    }),
    targets: z.object({
      added: names,
      removed: names.describe('Their backlog is kept for a day, in case they are configured again.'),
      kept: z.int(),
    }),
    orphans: z.array(orphanSchema).describe('All removed targets whose backlog is kept.'),
    restartNeeded,
    warnings: z.array(configProblemSchema),
  })
  .meta({ id: 'ReloadReport' });
