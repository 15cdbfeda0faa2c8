/** One test case of a report: passed without, failed with a failure text. */
export interface JUnitCase {
  readonly name: string;
  /** Groups cases, for example the file or the route. */
  readonly classname: string;
  readonly failure?: string;
}

/** A JUnit XML report (the form every CI system reads) of one suite. Text that XML 1.0 cannot hold is replaced. */
export function toJUnit(suite: string, cases: readonly JUnitCase[]): string {
  const failures = cases.filter((each) => each.failure !== undefined).length;
  const head = `<testsuite name="${escapeXml(suite)}" tests="${cases.length}" failures="${failures}" errors="0" skipped="0">`;
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...cases.map(caseXml), '</testsuite>', ''].join('\n');
}

function caseXml({ name, classname, failure }: JUnitCase): string {
  const open = `  <testcase name="${escapeXml(name)}" classname="${escapeXml(classname)}"`;
  if (failure === undefined) return `${open}/>`;
  const [first = ''] = failure.split('\n');
  return `${open}>\n    <failure message="${escapeXml(first)}">${escapeXml(failure)}</failure>\n  </testcase>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const escapeXml = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => (/[\t\n]/.test(char) ? char : `&#${char.codePointAt(0)};`));
