import { dirname, resolve } from 'node:path';
import { errorMessage } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';

/** Where references get their values from. */
export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a text file; throws when it cannot. */
  readonly readFile: (path: string) => string;
  /** Relative paths of `${file:…}` start here. */
  readonly directory: string;
}

/** A text with its references replaced. `used` lists the sources read, `problems` those that could not be read. */
export interface Resolved {
  readonly text: string;
  readonly used: readonly { readonly kind: 'env' | 'file'; readonly name: string; readonly value: string }[];
  readonly problems: readonly Pick<Problem, 'message' | 'hint' | 'range'>[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;

/** Whether a text contains a reference or an escape for `resolveReferences`. */
export const hasReference = (text: string): boolean => text.includes('${');

/**
 * Replaces `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` in one text, and `$${` by `${`. Inserted values are
 * not scanned again, so a password may contain anything. The default counts when the variable is unset or empty; one
 * line break at the end of a file is dropped.
 */
export function resolveReferences(text: string, sources: ReferenceSources): Resolved {
  const used: { kind: 'env' | 'file'; name: string; value: string }[] = [];
  const problems: Pick<Problem, 'message' | 'hint' | 'range'>[] = [];
  const replaced = text.replace(REFERENCE, (whole, inner: string | undefined, start: number) => {
    if (inner === undefined) return '${';
    const result = resolveOne(inner, sources);
    if ('value' in result) {
      used.push(result);
      return result.value;
    }
    problems.push({ ...result, range: { start, end: start + whole.length } });
    return whole;
  });
  return { text: replaced, used, problems };
}

type One = { kind: 'env' | 'file'; name: string; value: string } | { message: string; hint: string };

function resolveOne(inner: string, sources: ReferenceSources): One {
  const env = /^env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
  if (env) return fromEnvironment(env[1] ?? '', env[2], sources.env);
  if (inner.startsWith('file:') && inner.length > 5) return fromFile(inner.slice(5), sources);
  return {
    message: 'expected ${env:NAME}, ${env:NAME:-default} or ${file:path}, got another reference',
    hint: 'write $${ for a literal ${',
  };
}

function fromEnvironment(name: string, fallback: string | undefined, env: ReferenceSources['env']): One {
  const value = env[name];
  if (fallback !== undefined) return { kind: 'env', name, value: value || fallback };
  if (value !== undefined) return { kind: 'env', name, value };
  return {
    message: `the environment variable ${name} is not set`,
    hint: `set it (export ${name}=…) or give a default: \${env:${name}:-default}`,
  };
}

function fromFile(name: string, { directory, readFile }: ReferenceSources): One {
  try {
    return {
      kind: 'file',
      name: resolve(directory, name),
      value: readFile(resolve(directory, name)).replace(/\r?\n$/, ''),
    };
  } catch (error) {
    return {
      message: `the file ${name} cannot be read: ${errorMessage(error)}`,
      hint: `relative paths start at the directory of the configuration file, ${directory}`,
    };
  }
}

/** The directory from which a configuration file's relative paths start. */
export const directoryOf = (file: string): string => dirname(resolve(file));
