import { problemsOf } from '@magpie/schema-messages';
import type { FastifySchemaCompiler } from 'fastify';
import type { ZodError, ZodType } from 'zod';
import { type FieldProblem, Problem } from '../problems/problem.ts';

/** The framework's names of the parts of a request. */
const PARTS: Readonly<Record<string, FieldProblem['in']>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
};

/** Checks a part of a request; the handler sees the parsed value. */
export const validatorCompiler: FastifySchemaCompiler<ZodType> = ({ schema, httpPart }) =>
  validatorOf(() => schema, PARTS[httpPart ?? ''] ?? 'body');

/** A validator whose schema depends on the input. */
export const validatorOf =
  (schemaOf: (data: unknown) => ZodType, part: FieldProblem['in']): ReturnType<FastifySchemaCompiler<ZodType>> =>
  (data: unknown) => {
    const schema = schemaOf(data);
    const parsed = schema.safeParse(data, { reportInput: true });
    return parsed.success ? { value: parsed.data } : { error: invalid(schema, parsed.error, part) };
  };

/** A validator that asks `isPlain` first: a value it accepts is passed on unchanged, as the slower schema would do. */
export const withShortcut =
  <T>(isPlain: (data: T) => boolean, validator: ReturnType<FastifySchemaCompiler<ZodType>>) =>
  (data: T) =>
    isPlain(data) || validator(data);

/** All problems of a part of a request, as one 400. The parse must have been made with `reportInput`. */
export const invalid = (schema: ZodType, { issues }: ZodError, part: FieldProblem['in']): Problem =>
  new Problem(400, 'The request is invalid: see errors.', {
    errors: problemsOf(schema, issues).map(({ pointer, message, hint }) => ({
      in: part,
      pointer,
      detail: hint === undefined ? message : `${message} (${hint})`,
    })),
  });
