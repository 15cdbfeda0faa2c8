import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTextPattern } from '../../src/address/text-pattern.ts';
import { createReport } from '../../src/report.ts';
import { event, problemsOf, route } from '../support/adapters.ts';

const match = (pattern: string, text: string) => compileTextPattern(pattern, createReport([]))?.match(text);

describe('a text pattern', () => {
  it.each([
    ['!{device} {state}', '!pump-7 on', { device: 'pump-7', state: 'on' }],
    ['!{device} {state}', '!pump-7 on please', undefined],
    ['!{device} {state}', '!pump-7', undefined],
    ['!{device} {state}', ' !pump-7 \t on\n', { device: 'pump-7', state: 'on' }],
    ['  !{device}   {state} ', '!pump-7 on', { device: 'pump-7', state: 'on' }],
    ['! {device} now', '!   pump-7  now', { device: 'pump-7' }],
    ['!{device} {state}', '! pump-7 on', undefined],
    ['!{device} {state}', '!pump-7on', undefined],
    ['!stop  now', '!stop now', {}],
    ['!stopnow', '!stop now', undefined],
    ['!{device} {state}', '!Pump-7 ON', { device: 'Pump-7', state: 'ON' }],
    ['!Set {device}', '!set pump-7', undefined],
    [' say  {rest*}', '  say   two  words ', { rest: 'two  words ' }],
    ['{a} {b} {rest*}', ' x  y   z', { a: 'x', b: 'y', rest: 'z' }],
    ['!{device} {rest*}', '!pump-7 say hello\nworld', { device: 'pump-7', rest: 'say hello\nworld' }],
    ['!say {rest*}', '!say ', { rest: '' }],
    ['!help', '!help', {}],
    ['!help', '!help me', undefined],
    ['{a}-{b}', 'x-y-z', { a: 'x', b: 'y-z' }],
    ['{a}.json', 'a.json.json', { a: 'a.json' }],
    ['{a} is {b}!', 'x is y!', { a: 'x', b: 'y' }],
    ['{{{a}}}', '{x}', { a: 'x' }],
    ['', '', {}],
    ['', 'x', undefined],
    ['{a}', '', undefined],
  ])('%j on %j', (pattern, text, expected) => {
    expect(match(pattern, text)).toEqual(expected);
  });

  it('captures what it was filled with', () => {
    const word = fc.stringMatching(/^[^\s-]{1,10}$/);
    fc.assert(
      fc.property(word, word, fc.string(), (a, b, rest) => {
        expect(match('!{a}-{b} {rest*}', `!${a}-${b} ${rest}`)).toEqual({ a, b, rest: rest.trimStart() });
      }),
    );
  });

  it('ignores case with ignoreCase, and captures what was written', () => {
    const pattern = compileTextPattern('!Größe {Device} JETZT', createReport([]), true);
    expect(pattern?.match('!GRÖßE  Pump-7 Jetzt')).toEqual({ Device: 'Pump-7' });
    expect(pattern?.match('!grösse Pump-7 jetzt')).toBeUndefined();
    expect(compileTextPattern('İ {a}', createReport([]), true)?.match('İ x')).toEqual({ a: 'x' });
  });

  it.each([
    ['!{device}', '!', true],
    ['!{device}', '  !x y z', true],
    ['!{device}', 'x !', false],
    ['set {device}', 'set', true],
    ['set {device}', 'settle', false],
    ['{anything}', 'x', true],
  ])('%j begins like %j: %j', (pattern, text, expected) => {
    expect(compileTextPattern(pattern, createReport([]))?.begins(text)).toBe(expected);
  });

  it('takes time linear in the text', () => {
    const pattern = Array.from({ length: 20 }, (_, index) => `{c${index}}a`).join('');
    const started = performance.now();
    expect(match(pattern, `${'a'.repeat(200_000)}b`)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['{a}{b}', 'nothing between {a} and {b}', { start: 3, end: 6 }],
    ['{rest*} x', 'must come last', { start: 7, end: 9 }],
    ['{} x', 'a capture without a name', { start: 0, end: 2 }],
    ['{a', 'a single "{"', { start: 0, end: 1 }],
  ])('%j is refused with its place', (text, message, range) => {
    const [problem] = problemsOf({ from: { connection: 'floor', path: 'a', text } });
    expect(problem).toMatchObject({ pointer: '/routes/r/from/text', range });
    expect(problem?.message).toContain(message);
  });
});

describe('a route with a text pattern', () => {
  const routes = route({
    from: { connection: 'floor', path: 'a/{b}', text: '!{device} {state}' },
    when: 'state == "on"',
  });

  it('takes only texts that fit', () => {
    expect(routes.match(event({ content: '!p1 on' }))).toHaveLength(1);
    expect(routes.match(event({ content: 'hello' }))).toHaveLength(0);
    expect(routes.match(event({ body: Buffer.from([0xff]) }))).toHaveLength(0);
  });
});
