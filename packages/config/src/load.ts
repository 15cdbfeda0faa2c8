import { resolve } from 'node:path';
import { type AnyAdapter, errorMessage, readTextFile, UnreadableFile } from '@magpie/contract';
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

/** Variables and files that a configuration refers to, for display and for the file watch. Never values. */
export interface LoadReport {
  readonly file: string;
  /** Environment variables that were used. */
  readonly environment: readonly string[];
  /** Absolute paths of the files that were read for `${file:…}`. */
  readonly files: readonly string[];
  /** Pointers of secrets that are written in the file instead of being referred to. */
  readonly secrets: readonly string[];
}

/** The usable parts of a faulty configuration, so that they can be checked too. */
export interface Draft {
  /** With the usable connections only; references that could not be resolved are left as text. */
  readonly config: Config;
  /** Names of the connections that have problems. */
  readonly unusable: ReadonlySet<string>;
}

/** The result of loading. `config` is undefined exactly when a problem is an error. */
export interface Loaded {
  readonly config: Config | undefined;
  /** Set instead of `config` when enough of the file is valid. */
  readonly draft: Draft | undefined;
  readonly problems: readonly Problem[];
  /** Locates these problems and those of `compileRoutes` in the file. */
  readonly source: ConfigSource;
  readonly report: LoadReport;
}

/** The file to load and the sources of its references. */
export interface LoadOptions {
  /** Path of the file. With `text` it only names it and anchors relative paths. */
  readonly path: string;
  /** The configuration itself, instead of reading `path`. */
  readonly text?: string;
  /** All adapters, including the built-in `http`. */
  readonly adapters: readonly AnyAdapter[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly readFile?: (path: string) => string;
}

/**
 * Loads a configuration file: parses, resolves references, checks by schema. Called once at start, per reload and per
 * `magpie check`. Never throws for the content of a file; an unreadable file is reported as a problem.
 */
export function loadConfig(options: LoadOptions): Loaded {
  const { path, readFile = readTextFile } = options;
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

const isFileError = (error: unknown): boolean =>
  error instanceof UnreadableFile || (error instanceof Error && 'code' in error && 'syscall' in error);

function loadText(text: string, { path, adapters, env = process.env, readFile = readTextFile }: LoadOptions): Loaded {
  const directory = directoryOf(path);
  const { document, lines, problems: textProblems } = parseYaml(text);
  const references = collectReferences({ env, readFile, directory });
  const tree = document && textProblems.length === 0 ? readTree(document, references.scalar) : undefined;
  const places = tree?.places ?? new Map();
  const guards = createGuards(adapters, (name) => typeIn(tree?.value, name));
  // A truncated tree lacks places: then the file is masked line by line.
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
  // A text of several lines in place of a path is the content itself, such as a PEM certificate.
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

/** The `type` of a connection as written, with references resolved. */
const typeIn = (file: unknown, name: string): unknown => {
  const connections = isMapping(file) ? file.connections : undefined;
  const connection = isMapping(connections) ? connections[name] : undefined;
  return isMapping(connection) ? connection.type : undefined;
};

/** Connections of the file that are missing in the checked configuration. */
function unusableIn(file: unknown, { connections }: Config): ReadonlySet<string> {
  const written = Object.keys((isMapping(file) && isMapping(file.connections) && file.connections) || {});
  const usable = new Set(connections.map(({ name }) => name));
  return new Set(written.filter((name) => !usable.has(name)));
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
