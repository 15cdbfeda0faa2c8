import { pointerOf } from '@magpie/contract';
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

/** Checks a part of a request; what comes out is what the handler sees. */
export const validatorCompiler: FastifySchemaCompiler<ZodType> = ({ schema, httpPart }) =>
  validatorOf(() => schema, PARTS[httpPart ?? ''] ?? 'body');

/** A validator whose schema depends on what came. */
export const validatorOf =
  (schemaOf: (data: unknown) => ZodType, part: FieldProblem['in']): ReturnType<FastifySchemaCompiler<ZodType>> =>
  (data: unknown) => {
    const parsed = schemaOf(data).safeParse(data);
    return parsed.success ? { value: parsed.data } : { error: invalid(parsed.error, part) };
  };

/** A validator that asks `isPlain` first: what that takes is handed on as it is, as the schema would at a higher price. */
export const withShortcut =
  <T>(isPlain: (data: T) => boolean, validator: ReturnType<FastifySchemaCompiler<ZodType>>) =>
  (data: T) =>
    isPlain(data) || validator(data);

/** All that is wrong with a part of a request, as one 400. */
export const invalid = ({ issues }: ZodError, part: FieldProblem['in']): Problem =>
  new Problem(400, 'The request is not valid: see errors.', {
    errors: issues.map(({ path, message }) => ({ in: part, pointer: pointerOf(path), detail: message })),
  });
