import { z } from 'zod';

/** A mistake in a configuration file, with its place. Lines and columns count from 1. */
export const configProblemSchema = z
  .object({
    severity: z.enum(['error', 'warning']),
    file: z.string(),
    line: z.int(),
    column: z.int(),
    endLine: z.int(),
    endColumn: z.int(),
    pointer: z.string().describe('JSON pointer into the configuration.'),
    message: z.string().describe('What was expected and what was got.'),
    hint: z.string().optional().describe('What to do.'),
  })
  .meta({ id: 'ConfigProblem' });

/** Problem details as every error response has them (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.string().describe('What kind of problem, a stable URI.'),
    title: z.string().describe('The kind in words.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('What was expected, what was got and what to do.'),
    instance: z.string().optional().describe('The request, as in the header `x-request-id`.'),
    errors: z
      .array(
        z.object({
          in: z.enum(['body', 'query', 'path', 'header']),
          pointer: z.string().describe('JSON pointer into that part.'),
          detail: z.string(),
        }),
      )
      .optional()
      .describe('The fields that are wrong.'),
    problems: z.array(configProblemSchema).optional().describe('What is wrong with a configuration file.'),
  })
  .meta({ id: 'Problem' });
