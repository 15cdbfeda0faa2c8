import type { AnyAdapter } from '@magpie/contract';
import { type JsonSchema, jsonSchemaOf } from '@magpie/schema-messages';

/** Key names that are secret in any configuration, also in one that cannot be parsed. */
const ALWAYS = ['password', 'passwd', 'secret', 'token', 'passphrase', 'apiKey', 'privateKey'];

/** Names of all keys that hold secrets in the schemas of these adapters, and the usual suspects. */
export const secretKeysOf = (adapters: readonly AnyAdapter[]): ReadonlySet<string> =>
  new Set([...ALWAYS, ...adapters.flatMap(({ connectionSchema }) => secretKeysIn(jsonSchemaOf(connectionSchema)))]);

function secretKeysIn(schema: JsonSchema): readonly string[] {
  const own = Object.entries(schema.properties ?? {});
  const inner = [
    ...own.map(([, each]) => each),
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...(schema.items ? [schema.items] : []),
  ];
  return [...own.filter(([, each]) => each.secret).map(([name]) => name), ...inner.flatMap(secretKeysIn)];
}
