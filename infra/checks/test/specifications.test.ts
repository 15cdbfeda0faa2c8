import { describe, expect, it } from 'vitest';
import {
  doap,
  type Specification,
  specificationProblems,
  specifications,
  specificationTable,
} from '../specifications.ts';

const one: Specification = { xep: '0198', title: 'Streams', state: 'yes', words: 'a < b', tests: ['package.json'] };
const problems = (...all: readonly Specification[]): string => specificationProblems(all).join('\n');

describe('the list of specifications', () => {
  it('names tests that exist, each specification once, in order', () => {
    expect(specificationProblems()).toEqual([]);
    expect(specifications().length).toBeGreaterThan(30);
  });

  it('is refused with a test that is not there, none at all, one of nothing, or out of order', () => {
    expect(problems(one)).toBe('');
    expect(problems({ ...one, tests: ['nowhere.test.ts'] })).toContain('XEP-0198: there is no test nowhere.test.ts');
    expect(problems({ ...one, tests: [] })).toContain('XEP-0198: no test shows it');
    expect(problems({ ...one, state: 'no' })).toContain('tests show what is not there');
    expect(problems(one, one)).toContain('stands behind XEP-0198');
  });

  it('becomes a table and a DOAP file that say the same', () => {
    const none: Specification = { xep: '0999', title: 'Nothing', state: 'no', words: '', tests: [] };
    expect(specificationTable([one, none])).toContain('| XEP-0198 Streams | yes: a < b | `package.json` |');
    expect(specificationTable([one, none])).toContain('| XEP-0999 Nothing | no | – |');
    const file = doap([one, { rfc: '6120', title: 'Core', state: 'yes', words: '', tests: [] }, none]);
    expect(file).toContain('<implements rdf:resource="https://xmpp.org/rfcs/rfc6120.html"/>');
    expect(file).toContain('xep-0198.html"/>\n        <xmpp:status>complete</xmpp:status>');
    expect(file).toContain('a &lt; b');
    expect(file).not.toContain('0999');
  });
});
