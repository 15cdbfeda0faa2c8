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
    type: z.string().describe('Kind of the problem, as a stable URI.'),
    title: z.string().describe('Kind of the problem in words.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('What was expected, what was received, and what to do.'),
    instance: z.string().optional().describe('Id of the request, as in the header `x-request-id`.'),
    errors: z
      .array(
        z.object({
          in: z.enum(['body', 'query', 'path', 'header']),
          pointer: z.string().describe('JSON pointer into that part.'),
          detail: z.string(),
        }),
      )
      .optional()
      .describe('The invalid fields.'),
    problems: z.array(configProblemSchema).optional().describe('The mistakes in a configuration file.'),
  })
  .meta({ id: 'Problem' });
