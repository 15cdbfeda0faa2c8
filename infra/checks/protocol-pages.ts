import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAPPING as AMQP } from '../../packages/adapter-amqp/src/index.ts';
import { MAPPING as MQTT } from '../../packages/adapter-mqtt/src/index.ts';
import { MAPPING as XMPP } from '../../packages/adapter-xmpp/src/index.ts';
import { ROOT } from './command.ts';

/** A page about a protocol: the guide of its adapter, with the mapping table made from the adapter's own data. */
interface ProtocolPage {
  readonly title: string;
  readonly folder: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const field = (names: string): string => (names.startsWith('(') || names.startsWith('kind ') ? names : `\`${names}\``);

const PROTOCOLS = {
  mqtt: {
    title: 'MQTT',
    folder: 'packages/adapter-mqtt',
    columns: ['Concept', 'Event', 'MQTT 5', 'MQTT 3.1.1'],
    rows: MQTT.map(({ concept, field: name, mqtt5, mqtt311 }) => [concept, field(name), mqtt5, mqtt311]),
  },
  amqp: {
    title: 'AMQP 0-9-1',
    folder: 'packages/adapter-amqp',
    columns: ['Concept', 'Event', 'AMQP 0-9-1'],
    rows: AMQP.map(({ concept, field: name, amqp }) => [concept, field(name), amqp]),
  },
  xmpp: {
    title: 'XMPP',
    folder: 'packages/adapter-xmpp',
    columns: ['Concept', 'Event', 'XMPP'],
    rows: XMPP.map(({ concept, field: name, xmpp }) => [concept, field(name), xmpp]),
  },
} as const satisfies Record<string, ProtocolPage>;

/** The page of a protocol as Markdown. Deterministic: it is kept under version control. */
export function protocolPage(name: keyof typeof PROTOCOLS): string {
  const page = PROTOCOLS[name];
  const guide = readFileSync(join(ROOT, page.folder, 'README.md'), 'utf8');
  const [, ...sections] = splitSections(guide).map((section) => (isMapping(section) ? mappingSection(page) : section));
  const [intro = ''] = splitSections(guide);
  const head = intro.replace(
    /^# .*\n/,
    `# ${page.title}\n\n<!-- Generated from ${page.folder} by infra/checks/docs.ts; do not edit. -->\n`,
  );
  const text = [head, ...sections.filter((section) => !section.startsWith('## The library'))].join('');
  return `${forUsers(text, page.folder).trimEnd()}\n`;
}

/** The text before the first `##` heading, then each section with its heading. */
const splitSections = (markdown: string): readonly string[] => markdown.split(/^(?=## )/m);

const isMapping = (section: string): boolean => /^## (?:Mapping|How fields travel)\n/.test(section);

/** The table from the data; an empty cell means that the field does not travel. */
function mappingSection({ folder, columns, rows }: ProtocolPage): string {
  const guide = readFileSync(join(ROOT, folder, 'README.md'), 'utf8');
  const notes = splitSections(guide)
    .filter(isMapping)
    .flatMap((section) => section.split('\n').slice(1))
    .filter((line) => !line.startsWith('|'));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [line(columns), `|${columns.map(() => '---|').join('')}`, ...rows.map(line)];
  return `## What maps to what\n\nAn empty cell: it does not travel.\n\n${table.join('\n')}\n\n${notes.join('\n').trim()}\n\n`;
}

/** Without the lines for people who read the code, and with paths from the root. */
const forUsers = (text: string, folder: string): string =>
  text.replace(/^.*`(?:MAPPING|src\/mapping\.ts)`.*\n\n?/gm, '').replace(/`src\//g, `\`${folder}/src/`);
