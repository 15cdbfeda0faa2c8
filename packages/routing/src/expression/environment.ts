import { Environment, type ObjectSchema } from '@marcbachmann/cel-js';
import { z } from 'zod';
import { LINEAR_MATCH, matchesLinearly } from './regular-expressions.ts';
import { type Shape, shapeOf } from './shape.ts';
import { toPlain, toText } from './values.ts';

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

/** JSON numbers are doubles and literals are integers: arithmetic between them, and text built with `+`, must just work. */
function addMixedOperators(environment: Environment): void {
  const numeric: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / divisor(b),
    '%': (a, b) => a % divisor(b),
  };
  for (const [operator, apply] of Object.entries(numeric)) {
    const handler = (a: number | bigint, b: number | bigint): number => apply(Number(a), Number(b));
    environment.registerOperator(`int ${operator} double: double`, handler);
    environment.registerOperator(`double ${operator} int: double`, handler);
  }
  environment.registerOperator('double % double: double', numeric['%']!);
  environment.registerOperator('int == double', (a: bigint, b: number) => Number(a) === b);
  for (const type of ['int', 'double', 'bool']) {
    environment.registerOperator(`string + ${type}: string`, (a: string, b: unknown) => a + toText(toPlain(b)));
    environment.registerOperator(`${type} + string: string`, (a: unknown, b: string) => toText(toPlain(a)) + b);
  }
}

/** The divisor, when it can be divided by. */
function divisor(value: number): number {
  if (value === 0) throw new Error('division by zero');
  return value;
}

const createBase = (): Environment => {
  const base = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false, limits: LIMITS });
  addMixedOperators(base);
  return base
    .registerFunction(`string.${LINEAR_MATCH}(string): bool`, matchesLinearly, { async: false })
    .registerVariable({ name: 'event', schema: EVENT_FIELDS })
    .registerVariable('text', 'string')
    .registerVariable('headers', 'map<string, dyn>')
    .registerVariable('headersAll', 'map<string, list<dyn>>');
};

/** What expressions of one kind of source see: the environment up to captures and `let` names, and how to convert origins. */
export interface SourceEnvironment {
  readonly environment: Environment;
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
  if (payload !== undefined) {
    const { type } = payload;
    const declaration = typeof type === 'string' ? { name: 'payload', type } : { name: 'payload', schema: type };
    return { environment: environment.clone().registerVariable(declaration), origin, payload };
  }
  known.untyped ??= { environment: environment.clone().registerVariable('payload', 'dyn'), origin };
  return known.untyped;
}

function createOriginEnvironment(originSchema: z.ZodObject): OriginEnvironment {
  const origin = shapeOf(z.toJSONSchema(originSchema, { io: 'output', unrepresentable: 'any' }));
  const { type } = origin;
  const declaration = typeof type === 'string' ? { name: 'origin', type } : { name: 'origin', schema: type };
  return { environment: base.clone().registerVariable(declaration), origin };
}
