import { z } from 'zod';

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
  })
  .meta({ id: 'Problem' });
