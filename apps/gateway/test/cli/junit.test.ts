import { expect, it } from 'vitest';
import { toJUnit } from '../../src/cli/output/junit.ts';

it('reports passed and failed cases with everything XML reserves escaped', () => {
  const report = toJUnit('routes "a"', [
    { name: 'a < b', classname: 'r' },
    { name: 'c', classname: 'r', failure: 'expected & got\n\u0000<x>' },
  ]);
  expect(report).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="routes &quot;a&quot;" tests="2" failures="1" errors="0" skipped="0">
  <testcase name="a &lt; b" classname="r"/>
  <testcase name="c" classname="r">
    <failure message="expected &amp; got">expected &amp; got
\ufffd&lt;x&gt;</failure>
  </testcase>
</testsuite>
`);
});
