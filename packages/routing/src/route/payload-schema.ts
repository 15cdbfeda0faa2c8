import { errorMessage, Rejected } from '@magpie/contract';
import { z } from 'zod';
import { type Shape, shapeOf } from '../expression/shape.ts';
import { isRecord, type Report } from '../report.ts';

/** A declared shape of the payload: its types for expressions, and the check of each payload. */
export interface PayloadSchema {
  readonly shape: Shape;
  /** Throws `Rejected` saying what does not fit. Called once per event that reaches the condition. */
  check(payload: unknown): void;
}

/** Reads a JSON file named in the configuration. Throws what the file system or the parser says. */
export type ReadJsonFile = (path: string) => unknown;

/** Loads `payloadSchema`; undefined after reporting that the file or the schema in it cannot be used. */
export function loadPayloadSchema(
  path: string,
  readJsonFile: ReadJsonFile | undefined,
  report: Report,
): PayloadSchema | undefined {
  if (readJsonFile === undefined)
    return void report.error('files cannot be read here, so payloadSchema cannot be used');
  try {
    const content = readJsonFile(path);
    if (!isRecord(content)) return void report.error(`"${path}" is no JSON Schema: expected an object`);
    const validator = z.fromJSONSchema(content);
    return { shape: shapeOf(content), check: (payload) => checkPayload(validator, payload, path) };
  } catch (error) {
    return void report.error(`"${path}" cannot be used as a JSON Schema: ${errorMessage(error)}`);
  }
}

function checkPayload(validator: z.ZodType, payload: unknown, path: string): void {
  const { success, error } = validator.safeParse(payload);
  if (!success) throw new Rejected(`the payload does not meet ${path}: ${z.prettifyError(error)}`);
}
