import type { AnyAdapter } from '@magpie/contract';
import { routesSchema } from '@magpie/routing';
import { alternativesOf, type JsonSchema, jsonSchemaOf } from '@magpie/schema-messages';
import { commonSchema } from '../schema/connection.ts';
import { gatewaySchema } from '../schema/gateway.ts';
import { httpSchema } from '../schema/http.ts';

const INTRODUCTION = `# Configuration reference

<!-- Generated from the schemas by infra/checks/docs.ts; do not edit. -->

A configuration is one YAML 1.2 file: \`version: 1\` and the sections \`gateway\`, \`http\`, \`connections\` and \`routes\`. Keys at the
top that start with \`x-\` are yours, as a place for anchors. Unknown keys are errors.

Under \`connections\` and \`http\`, \`\${env:NAME}\`, \`\${env:NAME:-default}\` and \`\${file:path}\` are replaced by the value of an
environment variable or the content of a file; \`$\${\` is a literal \`\${\`. Durations are written \`500ms\`, \`30s\`, \`5m\`, \`24h\`, \`7d\`,
sizes \`64KiB\`, \`1MiB\`, \`10GiB\`. Relative paths start at the directory of the file. Nested keys are joined by dots, \`[]\` stands
for each entry of a list, \`*\` for any name. Keys in **bold** are required. A reload takes up what changed, except keys marked
↻: they take effect at the next start.
`;

/** The reference page of the configuration with these adapters, as Markdown. Deterministic: it is kept under version control. */
export function configReference(adapters: readonly AnyAdapter[]): string {
  const sections = [
    section('`gateway`', jsonSchemaOf(gatewaySchema)),
    section('`http`', jsonSchemaOf(httpSchema)),
    section('Every connection', jsonSchemaOf(commonSchema)),
    ...routeSections(adapters),
    ...adapters.flatMap(adapterSections),
  ];
  return [INTRODUCTION, ...sections].join('\n');
}

/** The keys of routes that mean the same for every protocol. */
function routeSections(adapters: readonly AnyAdapter[]): readonly string[] {
  const routes = jsonSchemaOf(routesSchema(adapters)).additionalProperties;
  if (typeof routes !== 'object') return [];
  const { from = {}, to = {}, ...own } = routes.properties ?? {};
  const places = { from: plainMapping(from), to: { ...plainMapping(to), expected: 'target or a list of targets' } };
  return [
    section('Every route', { ...routes, properties: { ...places, ...own } }),
    section('`from` of every route', commonKeys(from)),
    section('`to` of every route', commonKeys(to)),
  ];
}

const plainMapping = ({ description }: JsonSchema): JsonSchema => ({
  type: 'object',
  ...(description === undefined ? {} : { description }),
});

/** The keys that all alternatives of a schema share; a list counts as its entries. */
function commonKeys(schema: JsonSchema): JsonSchema {
  const mappings = alternativesOf(schema).flatMap((each) => (each.items ? alternativesOf(each.items) : [each]));
  const [first = {}, ...others] = mappings;
  const shared = Object.entries(first.properties ?? {}).filter(([key]) =>
    others.every(({ properties = {} }) => Object.hasOwn(properties, key)),
  );
  return { ...first, properties: Object.fromEntries(shared) };
}

function adapterSections({
  type,
  builtIn,
  connectionSchema,
  sourceSchema,
  targetSchema,
}: AnyAdapter): readonly string[] {
  const of = builtIn ? `the built-in connection \`${type}\`` : `\`type: ${type}\``;
  return [
    ...(builtIn ? [] : [section(`Connections of ${of}`, jsonSchemaOf(connectionSchema))]),
    section(`\`from\` of ${of}`, jsonSchemaOf(sourceSchema)),
    section(`\`to\` of ${of}`, jsonSchemaOf(targetSchema)),
  ];
}

const HEAD = '| Key | Type | Default | Meaning |\n|---|---|---|---|';

function section(title: string, schema: JsonSchema): string {
  const rows = rowsOf(inherited(schema), '');
  return `## ${title}\n\n${rows.length > 0 ? `${HEAD}\n${rows.join('\n')}` : 'No keys of its own.'}\n`;
}

/** The schema with the restart mark of a mapping copied to all its keys. */
function inherited(schema: JsonSchema, restart = false): JsonSchema {
  const mark = restart || schema.restart === true;
  if (!mark && !schema.properties) return schema;
  const inner = Object.entries(schema.properties ?? {}).map(([key, each]) => [key, inherited(each, mark)] as const);
  return {
    ...schema,
    ...(mark ? { restart: true } : {}),
    ...(schema.properties ? { properties: Object.fromEntries(inner) } : {}),
    ...(schema.items ? { items: inherited(schema.items, mark) } : {}),
  };
}

function rowsOf(schema: JsonSchema, prefix: string): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, each]) =>
    keyRows(`${prefix}${key}`, each, schema.required?.includes(key) === true),
  );
  return typeof schema.additionalProperties === 'object'
    ? [...own, ...innerRows(schema.additionalProperties, `${prefix}*`)]
    : own;
}

function keyRows(key: string, schema: JsonSchema, required: boolean): readonly string[] {
  const fallback = shownDefault(schema);
  const name = `${required ? `**\`${key}\`**` : `\`${key}\``}${schema.restart ? ' ↻' : ''}`;
  const row = [name, cell(typeText(schema)), fallback, cell(schema.description ?? '')];
  return [`| ${row.join(' | ')} |`, ...innerRows(schema, key)];
}

function innerRows(schema: JsonSchema, key: string): readonly string[] {
  if (schema.items) return innerRows(schema.items, `${key}[]`);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.flatMap((each) => innerRows(each, key));
  return schema.expected === undefined ? rowsOf(schema, `${key}.`) : [];
}

/** Defaults of mappings are shown with their keys. */
const shownDefault = ({ default: value }: JsonSchema): string =>
  value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))
    ? ''
    : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

function typeText(schema: JsonSchema): string {
  const text = bareType(schema);
  return schema.secret ? `${text} (secret)` : text;
}

function bareType(schema: JsonSchema): string {
  if (schema.expected !== undefined) return schema.expected.replace(/^(an?|the) /, '').replace(/ such as .*/, '');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return [...new Set(alternatives.map(typeText))].join(' or ');
  if (schema.items) return `list of ${plural(typeText(schema.items))}`;
  if (schema.filePath) return 'path';
  const types = [schema.type ?? []].flat().map((type) => NAMES[type] ?? type);
  return `${types.join(' or ') || 'any value'}${bounds(schema)}`;
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  object: 'mapping',
  array: 'list',
};

const PLURALS: Readonly<Record<string, string>> = {
  text: 'texts',
  mapping: 'mappings',
  number: 'numbers',
  path: 'paths',
  origin: 'origins',
  'IP address or network': 'IP addresses or networks',
};

const plural = (type: string): string => PLURALS[type] ?? type;

function bounds({ minimum, maximum }: JsonSchema): string {
  const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (low !== undefined && high !== undefined) return `, ${low} to ${high}`;
  if (low !== undefined) return `, at least ${low}`;
  return high === undefined ? '' : `, at most ${high}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
