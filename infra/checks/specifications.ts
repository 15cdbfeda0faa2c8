import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './command.ts';

const FOLDER = 'packages/adapter-xmpp';

/** How far a specification is implemented. */
export type State = 'yes' | 'partly' | 'no';

/** One specification: an RFC or an XEP. */
export interface Specification {
  readonly rfc?: string;
  readonly xep?: string;
  readonly title: string;
  readonly state: State;
  /** What of it, for people; empty where there is nothing to say. */
  readonly words: string;
  /** Paths of the tests that show it, from the root of the repository. */
  readonly tests: readonly string[];
}

/** The list that the table of the documentation and the DOAP file are made of. */
export const specifications = (): readonly Specification[] =>
  JSON.parse(readFileSync(join(ROOT, FOLDER, 'specifications.json'), 'utf8'));

/** Where the DOAP file is. */
export const DOAP_FILE = `${FOLDER}/doap.xml`;

/** The table as Markdown. */
export function specificationTable(all: readonly Specification[] = specifications()): string {
  const rows = all.map((one) => {
    const { title, state, words, tests } = one;
    const shown = tests.map((test) => `\`${test}\``).join(', ') || '–';
    return `| ${nameOf(one)} ${title} | ${state}${words === '' ? '' : `: ${words}`} | ${shown} |`;
  });
  return ['| Specification | State | Shown by |', '|---|---|---|', ...rows].join('\n');
}

/**
 * What is wrong with the list, a line each: a test that does not exist, a specification that claims something without a test, the
 * same one twice, or not in order. Called by the check of the documentation.
 * @param root directory of the repository.
 */
export function specificationProblems(
  all: readonly Specification[] = specifications(),
  root: string = ROOT,
): readonly string[] {
  const names = all.map(nameOf);
  const say = (one: Specification, what: string): string => `${FOLDER}/specifications.json: ${nameOf(one)}: ${what}`;
  return all.flatMap((one, index) => [
    ...one.tests.filter((test) => !existsSync(join(root, test))).map((test) => say(one, `there is no test ${test}`)),
    ...(one.state !== 'no' && one.tests.length === 0 ? [say(one, 'no test shows it')] : []),
    ...(one.state === 'no' && one.tests.length > 0 ? [say(one, 'tests show what is not there')] : []),
    ...(index > 0 && names[index - 1]! >= names[index]! ? [say(one, `stands behind ${names[index - 1]}`)] : []),
  ]);
}

const DOAP_STATUS = { yes: 'complete', partly: 'partial', no: 'planned' } as const;

/** The DOAP file as XEP-0453 describes it, of what there is. */
export function doap(all: readonly Specification[] = specifications()): string {
  const there = all.filter(({ state }) => state !== 'no');
  const rfcs = there.flatMap(({ rfc }) => (rfc === undefined ? [] : [RFC.replace('%', rfc)]));
  const xeps = there.flatMap((one) => (one.xep === undefined ? [] : [supported(one, one.xep)]));
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- Generated from specifications.json by infra/checks/docs.ts; do not edit. -->
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://usefulinc.com/ns/doap#" xmlns:xmpp="https://linkmauve.fr/ns/xmpp-doap#">
  <Project>
    <name>Magpie</name>
    <shortdesc xml:lang="en">Multi-protocol messaging gateway: XMPP, MQTT, AMQP and HTTP through one durable event log</shortdesc>
    <license rdf:resource="https://spdx.org/licenses/Apache-2.0"/>
    <programming-language>TypeScript</programming-language>
    <category rdf:resource="https://linkmauve.fr/ns/xmpp-doap#category-component"/>
    <category rdf:resource="https://linkmauve.fr/ns/xmpp-doap#category-client"/>
${[...rfcs, ...xeps].join('\n')}
  </Project>
</rdf:RDF>
`;
}

const RFC = '    <implements rdf:resource="https://xmpp.org/rfcs/rfc%.html"/>';

function supported({ state, words }: Specification, xep: string): string {
  const note = words === '' ? '' : `\n        <xmpp:note xml:lang="en">${escaped(words)}</xmpp:note>`;
  return `    <implements>
      <xmpp:SupportedXep>
        <xmpp:xep rdf:resource="https://xmpp.org/extensions/xep-${xep}.html"/>
        <xmpp:status>${DOAP_STATUS[state]}</xmpp:status>${note}
      </xmpp:SupportedXep>
    </implements>`;
}

const nameOf = ({ rfc, xep }: Specification): string => (rfc === undefined ? `XEP-${xep}` : `RFC ${rfc}`);

const escaped = (text: string): string =>
  text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
