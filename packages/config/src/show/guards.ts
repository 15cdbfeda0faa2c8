import { type AnyAdapter, JsonNumber } from '@magpie/contract';
import { acceptsType, alternativesOf, type JsonSchema, jsonSchemaOf, schemasAt } from '@magpie/schema-messages';
import { commonSchema } from '../schema/connection.ts';
import { httpSchema } from '../schema/http.ts';
import { passwordIn } from './login.ts';

/** What of a configuration may be shown. Paths are those of the file, from its root. */
export interface Guards {
  /** Whether a value stands in a section that may hold secrets. */
  isGuarded(path: readonly string[]): boolean;
  /**
   * Whether a value may hold a secret: it stands under `connections` or `http`, and the schema either marks it as one, or does
   * not know its key, or does not expect a value of its type there (a password in the wrong place).
   */
  hides(path: readonly string[], value: unknown): boolean;
  /** Whether a message must not quote a value: one that `hides` is about, or that has a password in a URL, however broken. */
  isUnquotable(path: readonly string[], value: unknown): boolean;
  /** Whether the schema marks the value at a path as a secret. */
  isSecret(path: readonly string[]): boolean;
  /** Names of keys that hold plain values in every schema: for text that is no valid YAML, where no path is known. */
  readonly plainKeys: ReadonlySet<string>;
  /** Names of keys that hold secrets, and the usual suspects: for text outside the guarded sections. */
  readonly secretKeys: ReadonlySet<string>;
}

/** Key names that are secret in any configuration, also where no schema knows them. */
const ALWAYS = ['password', 'passwd', 'secret', 'token', 'passphrase', 'apiKey', 'privateKey'];

/** Guards of a file; `typeOf` gives the type of a connection as far as it is known. */
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

/** A number that no double holds is a number all the same. */
const plainOf = (value: unknown): unknown => (value instanceof JsonNumber ? 0 : value);

/** All keys of a connection of one type, the common ones included. */
function connectionSchemaOf({ connectionSchema, sourceSchema }: AnyAdapter): JsonSchema {
  const subscribe = { type: 'array', items: jsonSchemaOf(sourceSchema) };
  const { properties } = jsonSchemaOf(connectionSchema);
  return { type: 'object', properties: { ...jsonSchemaOf(commonSchema).properties, ...properties, subscribe } };
}

/** Every key with its schema, however deep. */
function namedIn(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  const own = Object.entries(schema.properties ?? {});
  const inner = [...own.map(([, each]) => each), ...(schema.anyOf ?? schema.oneOf ?? [])];
  const items = schema.items ? namedIn(schema.items) : [];
  const leaves = own.flatMap(([name, each]) => alternativesOf(each).map((one) => [name, one] as const));
  return [...leaves, ...inner.flatMap(namedIn), ...items];
}
