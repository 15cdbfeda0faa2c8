import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyAdapter, ProtocolGuide } from '../../packages/contract/src/index.ts';
import { ROOT } from './command.ts';
import { specificationTable } from './specifications.ts';

/** Where the package of an adapter lies; its README is the text of the page. */
const folderOf = (type: string): string => `packages/adapter-${type}`;

/** A generated page about a protocol. */
interface ProtocolPage {
  readonly file: string;
  content(): string;
}

/** One page for each adapter that has a guide: the README of its package, with the mapping table made from its own data. */
export const protocolPages = (adapters: readonly AnyAdapter[]): readonly ProtocolPage[] =>
  adapters.flatMap(({ type, guide }) =>
    guide ? [{ file: `apps/docs/protocols/${type}.md`, content: () => protocolPage(folderOf(type), guide) }] : [],
  );

/** The page as Markdown. Deterministic: it is kept under version control. */
function protocolPage(folder: string, guide: ProtocolGuide): string {
  const readme = readFileSync(join(ROOT, folder, 'README.md'), 'utf8');
  const [intro = '', ...others] = splitSections(readme);
  const sections = others.map((section) =>
    isMapping(section) ? mappingSection(section, guide) : specificationSection(section),
  );
  const head = intro.replace(
    /^# .*\n/,
    `# ${guide.title}\n\n<!-- Generated from ${folder} by infra/checks/docs.ts; do not edit. -->\n`,
  );
  const text = [head, ...sections.filter((section) => !section.startsWith('## The library'))].join('');
  return `${forUsers(text, folder).trimEnd()}\n`;
}

/** The text before the first `##` heading, then each section with its heading. */
const splitSections = (markdown: string): readonly string[] => markdown.split(/^(?=## )/m);

/** The section about specifications, with the table of the list that it names. */
const specificationSection = (section: string): string =>
  section.startsWith('## Specifications\n') ? `## Specifications\n\n${specificationTable()}\n\n` : section;

const isMapping = (section: string): boolean => /^## (?:Mapping|How fields travel)\n/.test(section);

/** The table from the data, and below it what the section says besides; an empty cell means that the field does not travel. */
function mappingSection(section: string, { columns, mapping }: ProtocolGuide): string {
  const notes = section
    .split('\n')
    .slice(1)
    .filter((text) => !text.startsWith('|'));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const heads = ['Concept', 'Event', ...Object.values(columns)];
  const rows = mapping.map((row) => [
    row.concept,
    field(row.field),
    ...Object.keys(columns).map((key) => row[key] ?? ''),
  ]);
  const table = [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line)];
  return `## What maps to what\n\nAn empty cell: it does not travel.\n\n${table.join('\n')}\n\n${notes.join('\n').trim()}\n\n`;
}

const field = (names: string): string => (names.startsWith('(') || names.startsWith('kind ') ? names : `\`${names}\``);

/** Without the lines for people who read the code, and with paths from the root. */
const forUsers = (text: string, folder: string): string =>
  text.replace(/^.*`(?:MAPPING|src\/mapping\.ts)`.*\n\n?/gm, '').replace(/`src\//g, `\`${folder}/src/`);
