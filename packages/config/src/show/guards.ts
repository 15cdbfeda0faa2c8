import { type AnyAdapter, JsonNumber } from '@magpie/contract';
import { acceptsType, alternativesOf, type JsonSchema, jsonSchemaOf, schemasAt } from '@magpie/schema-messages';
import { commonSchema } from '../schema/connection.ts';
import { httpSchema } from '../schema/http.ts';
import { passwordIn } from './login.ts';

/** Decides which parts of a configuration may be shown. Paths start at the root of the file. */
export interface Guards {
  /** Whether a value belongs to a section that may hold secrets. */
  isGuarded(path: readonly string[]): boolean;
  /**
   * Whether a value may hold a secret: it is under `connections` or `http`, and the schema marks it as secret, does not
   * know its key, or expects another type there (a password in the wrong place).
   */
  hides(path: readonly string[], value: unknown): boolean;
  /**
   * Whether a message must not quote a value: `hides` is true for it, or it contains a password in a URL, however
   * malformed.
   */
  isUnquotable(path: readonly string[], value: unknown): boolean;
  /** Whether the schema marks the value at a path as a secret. */
  isSecret(path: readonly string[]): boolean;
  /** Names of keys that hold plain values in every schema: for invalid YAML, where paths are unknown. */
  readonly plainKeys: ReadonlySet<string>;
  /** Names of keys that hold secrets, and other common names for them: for text outside the guarded sections. */
  readonly secretKeys: ReadonlySet<string>;
}

/** Key names that are secret in any configuration, even if no schema knows them. */
const ALWAYS = ['password', 'passwd', 'secret', 'token', 'passphrase', 'apiKey', 'privateKey'];

/** Guards of a file; `typeOf` returns the type of a connection if it is known. */
export function createGuards(
  adapters: readonly AnyAdapter[],
  typeOf: (connection: string) => unknown = () => undefined,
): Guards {
  const connections = new Map(adapters.map((adapter) => [adapter.type, connectionSchemaOf(adapter)]));
  const schemasOf = ([section, ...path]: readonly string[]): readonly JsonSchema[] => {
    if (section === 'http') return schemasAt(jsonSchemaOf(httpSchema), path);
    const [name = '', ...keys] = path;
    const own = connections.get(String(typeOf(name)));
    return (own ? [own] : [...connections.values()]).flatMap((schema) => schemasAt(schema, keys));
  };
  const isGuarded = ([section]: readonly string[]): boolean => section === 'http' || section === 'connections';
  const isSecret = (path: readonly string[]): boolean =>
    isGuarded(path) &&
    schemasOf(path)
      .flatMap(alternativesOf)
      .some(({ secret }) => secret);
  const named = [jsonSchemaOf(httpSchema), ...connections.values()].flatMap(namedIn);
  const secretKeys = new Set([...ALWAYS, ...named.flatMap(([name, { secret }]) => (secret ? [name] : []))]);
  const hides = (path: readonly string[], value: unknown): boolean =>
    isGuarded(path) && (path.length < 2 || isSecret(path) || !acceptsType(schemasOf(path), plainOf(value)));
  return {
    isGuarded,
    isSecret,
    hides,
    isUnquotable: (path, value) => hides(path, value) || (isGuarded(path) && passwordIn(value) !== undefined),
    plainKeys: new Set(named.map(([name]) => name).filter((name) => !secretKeys.has(name))),
    secretKeys,
  };
}

/** A number that a double cannot hold still counts as a number. */
const plainOf = (value: unknown): unknown => (value instanceof JsonNumber ? 0 : value);

/** All keys of a connection of one type, the common ones included. */
function connectionSchemaOf({ connectionSchema, sourceSchema }: AnyAdapter): JsonSchema {
  const subscribe = { type: 'array', items: jsonSchemaOf(sourceSchema) };
  const { properties } = jsonSchemaOf(connectionSchema);
  return { type: 'object', properties: { ...jsonSchemaOf(commonSchema).properties, ...properties, subscribe } };
}

/** Every key with its schema, at any depth. */
function namedIn(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  const own = Object.entries(schema.properties ?? {});
  const inner = [...own.map(([, each]) => each), ...(schema.anyOf ?? schema.oneOf ?? [])];
  const items = schema.items ? namedIn(schema.items) : [];
  const leaves = own.flatMap(([name, each]) => alternativesOf(each).map((one) => [name, one] as const));
  return [...leaves, ...inner.flatMap(namedIn), ...items];
}
