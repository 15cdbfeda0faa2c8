import { pathOf } from '@magpie/schema-messages';
import { isScalar, type Node } from 'yaml';
import type { Place } from '../document/tree.ts';
import type { Guards } from './guards.ts';
import { LOGIN, passwordIn } from './login.ts';

/** A reference without a default, which is not a secret. */
const REFERENCE = /\$\{(?:env:[A-Za-z_][A-Za-z0-9_]*|file:[^}\n]*)\}/g;

/** Values by pointer, as the file was parsed. */
type Places = ReadonlyMap<string, Place>;

/**
 * The text of a file with every character of a secret as `*`, so that lines and columns stay the same. Under
 * `connections` and `http` only references and values that the schema knows to be plain stay readable. Without `places`
 * (the file could not be parsed) it is masked line by line. Pure; called once per file, when a line is shown.
 */
export function maskSecrets(text: string, places: Places, guards: Guards): string {
  const masked = places.size > 0 ? maskPlaces(text, places, guards) : maskLines(text, guards.plainKeys);
  return maskNamed(masked, guards.secretKeys);
}

/**
 * Pointers of connection secrets that are written in the file, as the value of a secret key or in a URL. The hash of an
 * API key is not a secret: the key cannot be derived from it.
 */
export const literalSecrets = (places: Places, guards: Guards): readonly string[] =>
  [...places].flatMap(([pointer, { node }]) => {
    if (!isScalar(node) || typeof node.value !== 'string') return [];
    const path = pathOf(pointer);
    const written = node.value.replace(REFERENCE, '');
    if (path[0] !== 'connections') return [];
    const isSecret = passwordIn(written) !== undefined || (guards.isSecret(path) && written !== '');
    return isSecret ? [pointer] : [];
  });

function maskPlaces(text: string, places: Places, guards: Guards): string {
  const characters = text.split('');
  for (const [pointer, { node }] of places) {
    const range = rangeOf(node);
    const path = pathOf(pointer);
    if (!range || !isScalar(node) || !guards.isGuarded(path)) continue;
    const mask = guards.hides(path, node.value) ? hidden : withoutPassword;
    for (const [index, char] of mask(text.slice(...range))
      .split('')
      .entries())
      characters[range[0] + index] = char;
  }
  return characters.join('');
}

const rangeOf = (node: Node | null): [number, number] | undefined =>
  node?.range ? [node.range[0], node.range[1]] : undefined;

/** Masks a text except for its references. */
function around(text: string, mask: (rest: string) => string): string {
  const rest = text.replace(REFERENCE, (reference) => '\0'.repeat(reference.length));
  const masked = mask(rest);
  const characters = text.split('').map((char, index) => (rest[index] === '\0' ? char : (masked[index] ?? char)));
  return characters.join('');
}

const stars = (text: string): string => text.replace(/\S/g, '*');

/** Masks a value except for its quotes. */
const hidden = (text: string): string =>
  around(text, (rest) =>
    rest.replace(/^(\s*["']?)([\s\S]*?)(["']?\s*)$/, (_, open, inner, close) => open + stars(inner) + close),
  );

const withoutPassword = (text: string): string =>
  around(text, (rest) => rest.replace(LOGIN, (_, user: string, password: string) => `${user}:${stars(password)}@`));

/** Sections that hold no secrets. */
const PLAIN_SECTIONS: ReadonlySet<string> = new Set(['version', 'gateway', 'routes']);

/** Masks by lines. Where no section is known, as in a file inside one pair of braces, everything may be a secret. */
function maskLines(text: string, plainKeys: ReadonlySet<string>): string {
  let section = '';
  const lines = text.split('\n').map((line) => {
    section = /^["']?([\w-]+)["']?\s*:/.exec(line)?.[1] ?? (/^[^\s#]/.test(line) ? '' : section);
    return PLAIN_SECTIONS.has(section) ? withoutPassword(line) : maskLine(line, plainKeys);
  });
  return lines.join('\n');
}

const KEY = /(["']?)[\w$.-]+\1\s*:(?=[\s[{]|$)/g;

/** Masks a line except for its keys and the values of plain keys. */
function maskLine(line: string, plainKeys: ReadonlySet<string>): string {
  const keys = [...line.matchAll(KEY)];
  const head = line.slice(0, keys[0]?.index ?? line.length);
  const pairs = keys.map((key, index) => {
    const value = line.slice(key.index + key[0].length, keys[index + 1]?.index ?? line.length);
    const isPlain = plainKeys.has(key[0].replace(/["':\s]/g, ''));
    return key[0] + (isPlain ? withoutPassword(value) : withoutValues(value));
  });
  return withoutValues(head) + pairs.join('');
}

/** Masks everything except YAML syntax. */
const withoutValues = (text: string): string => around(text, (rest) => rest.replace(/[^\s{}[\],:"'#-]/g, '*'));

/** Masks the values of keys whose names mean a secret, in any section. */
function maskNamed(text: string, secretKeys: ReadonlySet<string>): string {
  const names = [...secretKeys].map((name) => name.replace(/[^A-Za-z0-9]/g, '\\$&')).join('|');
  const pattern = new RegExp(
    `((?:^|[\\s{,"'])(?:${names})["']?[^\\S\\n]*:[^\\S\\n]*)("(?:[^"\\\\\\n]|\\\\.)*"?|'[^'\\n]*'?|(?:\\$\\{[^}\\n]*\\}|[^,}\\s])(?:\\$\\{[^}\\n]*\\}|[^,}\\n])*)`,
    'gim',
  );
  return text.replace(pattern, (_, key: string, value: string) => key + hidden(value));
}
