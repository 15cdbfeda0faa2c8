import { parseJsonBody, whyNotJson } from '@magpie/contract';
import { Environment, type ObjectSchema } from '@marcbachmann/cel-js';
import { z } from 'zod';
import { expressionNumber, registerNumbers } from './numbers.ts';
import { LINEAR_MATCH, matchesLinearly } from './regular-expressions.ts';
import { type Shape, shapeOf } from './shape.ts';

/** Fields of the variable `event`. Times are CEL timestamps; what an event lacks is an error unless asked with `has()`. */
export const EVENT_FIELDS: ObjectSchema = {
  ref: 'string',
  id: 'string',
  source: 'string',
  address: 'string',
  scheme: 'string',
  segments: 'list<string>',
  kind: 'string',
  type: 'string',
  subject: 'string',
  key: 'string',
  time: 'google.protobuf.Timestamp',
  receivedAt: 'google.protobuf.Timestamp',
  expiresAt: 'google.protobuf.Timestamp',
  contentType: 'string',
  contentEncoding: 'string',
  correlationId: 'string',
  replyTo: 'string',
  priority: 'int',
  retain: 'bool',
  redelivered: 'bool',
  via: 'list<string>',
  size: 'int',
};

/** Limits of one expression; far above what a rule needs, far below what could stall the gateway at load. */
const LIMITS = { maxAstNodes: 2000, maxDepth: 64, maxListElements: 500, maxMapEntries: 200, maxCallArguments: 16 };

/** Name under which `json()` of bytes is evaluated: the language's own changes numbers. */
export const EXACT_JSON = 'jsonExactly';

const jsonOf = (bytes: Uint8Array): unknown => {
  const value = parseJsonBody(bytes, 'application/json', expressionNumber);
  if (value === undefined) throw new Error(`not JSON: ${whyNotJson(bytes, 'application/json')}`);
  return value;
};

const createFunctions = (): Environment => {
  const base = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false, limits: LIMITS });
  registerNumbers(base);
  return base
    .registerFunction(`string.${LINEAR_MATCH}(string): bool`, matchesLinearly, { async: false })
    .registerFunction(`bytes.${EXACT_JSON}(): dyn`, jsonOf, { async: false });
};

const functions = createFunctions();

/** An environment of its own with the functions and no variable, for texts that are not about one event. Called per text at load. */
export const plainEnvironment = (): Environment => functions.clone();

const createBase = (): Environment =>
  plainEnvironment()
    .registerVariable({ name: 'event', schema: EVENT_FIELDS })
    .registerVariable('text', 'string')
    .registerVariable('headers', 'map<string, dyn>')
    .registerVariable('headersAll', 'map<string, list<dyn>>');

/** What expressions of one kind of source see: the environments up to captures and `let` names, and how to convert origins. */
export interface SourceEnvironment {
  /** Checks expressions at load. */
  readonly environment: Environment;
  /**
   * Evaluates them: the same one, unless the payload has a declared shape. Then it leaves the type of the payload open, as
   * a field declared as a number may hold an integer that no double holds.
   */
  readonly evaluation: Environment;
  readonly origin: Shape;
  /** Set when the route declares the shape of its payload. */
  readonly payload?: Shape;
}

interface OriginEnvironment {
  readonly environment: Environment;
  readonly origin: Shape;
  untyped?: SourceEnvironment;
}

const base = createBase();
const byOriginSchema = new WeakMap<z.ZodObject, OriginEnvironment>();

/**
 * The environment for events of an adapter, made once per adapter; a declared payload shape makes one of its own. Called
 * per route at load.
 */
export function sourceEnvironment(originSchema: z.ZodObject, payload?: Shape): SourceEnvironment {
  const known = byOriginSchema.get(originSchema) ?? createOriginEnvironment(originSchema);
  byOriginSchema.set(originSchema, known);
  const { environment, origin } = known;
  known.untyped ??= createUntyped(known);
  const { untyped } = known;
  if (payload !== undefined) {
    const { type } = payload;
    const declaration = typeof type === 'string' ? { name: 'payload', type } : { name: 'payload', schema: type };
    return {
      environment: environment.clone().registerVariable(declaration),
      evaluation: untyped.environment,
      origin,
      payload,
    };
  }
  return untyped;
}

function createUntyped({ environment: before, origin }: OriginEnvironment): SourceEnvironment {
  const environment = before.clone().registerVariable('payload', 'dyn');
  return { environment, evaluation: environment, origin };
}

function createOriginEnvironment(originSchema: z.ZodObject): OriginEnvironment {
  const origin = shapeOf(z.toJSONSchema(originSchema, { io: 'output', unrepresentable: 'any' }));
  const { type } = origin;
  const declaration = typeof type === 'string' ? { name: 'origin', type } : { name: 'origin', schema: type };
  return { environment: base.clone().registerVariable(declaration), origin };
}
