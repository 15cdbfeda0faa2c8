import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AnyAdapter, errorMessage } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import { LineCounter } from 'yaml';
import { checkSections } from './check/sections.ts';
import type { Config } from './config.ts';
import { type ConfigSource, createSource } from './document/source.ts';
import { readTree } from './document/tree.ts';
import { parseYaml } from './document/yaml.ts';
import { collectReferences } from './references/collect.ts';
import { directoryOf } from './references/references.ts';
import { createGuards } from './show/guards.ts';
import { literalSecrets, maskSecrets } from './show/mask.ts';

/** What was read besides the file itself, to show it and to watch it. Never values. */
export interface LoadReport {
  readonly file: string;
  /** Environment variables that were used. */
  readonly environment: readonly string[];
  /** Absolute paths of the files that were read for `${file:…}`. */
  readonly files: readonly string[];
  /** Pointers of secrets that stand in the file itself instead of being referred to. */
  readonly secrets: readonly string[];
}

/** What there is of a configuration that cannot be used, so that its other parts can be checked all the same. */
export interface Draft {
  /** With the usable connections only; texts of references that could not be resolved stand as they are. */
  readonly config: Config;
  /** Names of the connections that are not usable. */
  readonly unusable: ReadonlySet<string>;
}

/** The result of loading. `config` is undefined exactly when a problem is an error. */
export interface Loaded {
  readonly config: Config | undefined;
  /** In place of `config` when the mistakes leave enough of it. */
  readonly draft: Draft | undefined;
  readonly problems: readonly Problem[];
  /** Locates these problems and those of `compileRoutes` in the file. */
  readonly source: ConfigSource;
  readonly report: LoadReport;
}

/** What to load and where references come from. */
export interface LoadOptions {
  /** Path of the file. With `text` it only names it and anchors relative paths. */
  readonly path: string;
  /** The configuration itself, instead of reading `path`. */
  readonly text?: string;
  /** All adapters, the built-in `http` among them. */
  readonly adapters: readonly AnyAdapter[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly readFile?: (path: string) => string;
}

const readText = (path: string): string => readFileSync(path, 'utf8');

/**
 * Loads a configuration file: parses, resolves references, checks by schema. Called once at start, per reload and per
 * `magpie check`. Never throws for what a file may contain; a file that cannot be read is a problem too.
 */
export function loadConfig(options: LoadOptions): Loaded {
  const { path, readFile = readText } = options;
  try {
    return loadText(options.text ?? readFile(path), options);
  } catch (error) {
    if (!isFileError(error)) throw error;
    const message = `the configuration file cannot be read: ${errorMessage(error)}`;
    return {
      config: undefined,
      draft: undefined,
      problems: [{ severity: 'error', pointer: '', message }],
      source: createSource(path, '', new LineCounter(), new Map(), () => ''),
      report: { file: path, environment: [], files: [], secrets: [] },
    };
  }
}

const isFileError = (error: unknown): boolean => error instanceof Error && 'code' in error && 'syscall' in error;

function loadText(text: string, { path, adapters, env = process.env, readFile = readText }: LoadOptions): Loaded {
  const directory = directoryOf(path);
  const { document, lines, problems: textProblems } = parseYaml(text);
  const references = collectReferences({ env, readFile, directory });
  const tree = document && textProblems.length === 0 ? readTree(document, references.scalar) : undefined;
  const places = tree?.places ?? new Map();
  const guards = createGuards(adapters, (name) => typeIn(tree?.value, name));
  // A tree that was cut off lacks places: then its lines are masked.
  const known = tree?.problems.length === 0 ? places : new Map();
  const source = createSource(path, text, lines, places, () => maskSecrets(text, known, guards));
  const report = {
    file: path,
    environment: [...references.environment],
    files: [...references.files],
    secrets: literalSecrets(places, guards),
  };
  if (!tree || tree.problems.length > 0) {
    const problems = [...textProblems, ...(tree?.problems ?? [])];
    return { config: undefined, draft: undefined, problems, source, report };
  }
  // A text of several lines in the place of a path is the content itself, such as a PEM certificate.
  const absolute = (file: string): string => (file.includes('\n') ? file : resolve(directory, file));
  const { sections, problems } = checkSections(tree.value, {
    adapters,
    absolute,
    substituted: references.substituted,
    isUnquotable: guards.isUnquotable,
  });
  const all = [...references.problems, ...problems.filter(({ pointer }) => !references.failed.has(pointer))];
  const broken = all.some(({ severity }) => severity === 'error');
  const config = sections && { ...sections, directory };
  return {
    config: broken ? undefined : config,
    draft: broken && config ? { config, unusable: unusableIn(tree.value, config) } : undefined,
    problems: all,
    source,
    report,
  };
}

/** The `type` of a connection as it is written, references resolved. */
const typeIn = (file: unknown, name: string): unknown => {
  const connections = isMapping(file) ? file.connections : undefined;
  const connection = isMapping(connections) ? connections[name] : undefined;
  return isMapping(connection) ? connection.type : undefined;
};

/** Connections of a file that are missing in what has been made of it. */
function unusableIn(file: unknown, { connections }: Config): ReadonlySet<string> {
  const written = Object.keys((isMapping(file) && isMapping(file.connections) && file.connections) || {});
  const usable = new Set(connections.map(({ name }) => name));
  return new Set(written.filter((name) => !usable.has(name)));
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
