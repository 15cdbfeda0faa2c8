import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenize } from '../../src/template/tokens.ts';
import { bodyFor, event, problemsOf, route, toOffice } from '../support/adapters.ts';

const text = (template: string, json: unknown = {}): string =>
  bodyFor(route({ to: toOffice({ text: template }) }), event({ json }));
const payload = (tree: unknown, json: unknown = {}): unknown =>
  JSON.parse(bodyFor(route({ to: toOffice({ payload: tree }) }), event({ json })));

describe('a template', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['$5 and $ {x} and }', '$5 and $ {x} and }'],
    ['$${b} is ${b}', '${b} is x'],
    ['$$${b}', '$${b}'],
    ['${b}${b}', 'xx'],
    ['${"}"}', '}'],
    ["${'it\\'s }'}", "it's }"],
    ['${"""a"}b"""}', 'a"}b'],
    ['${r"\\"}', '\\'],
    ['${{"a": {"b": "}"}}["a"]["b"]}', '}'],
    ['${b // a } comment\n}', 'x'],
    ['${[b, "y"].map(v, v + "!").join(" ")}', 'x! y!'],
  ])('%j becomes %j', (template, expected) => {
    const quoted = template === '${r"\\"}' ? '${r"\\\\"}' : template;
    expect(text(quoted)).toBe(quoted === template ? expected : '\\\\');
  });

  it('leaves text without expressions alone, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (plain) => {
        fc.pre(!plain.includes('${'));
        expect(text(plain)).toBe(plain);
      }),
    );
  });

  it('is split into pieces that lose nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '$', '{', '}', '"', "'", '\\', '//', '\n', '${', '$${')), (parts) => {
        const template = parts.join('');
        const tokens = tokenize(template);
        if (!('length' in tokens)) return;
        const again = tokens.map((token) =>
          token.type === 'text' ? token.value.replaceAll('${', () => '$${') : `\${${token.source}}`,
        );
        expect(again.join('')).toBe(template);
      }),
    );
  });
});

describe('values inside text', () => {
  it.each([
    [null, 'null'],
    [5, '5'],
    [5.5, '5.5'],
    [true, 'true'],
    ['x', 'x'],
    [[1, 'a', null], '[1,"a",null]'],
    [{ a: { b: 1 } }, '{"a":{"b":1}}'],
    ['', ''],
  ])('%j', (value, expected) => {
    expect(text('<${payload.v}>', { v: value })).toBe(`<${expected}>`);
  });

  it('lone surrogates are replaced', () => {
    expect(text('<${payload.v}>', { v: '\ud800' })).toBe('<\ufffd>');
  });

  it('an empty optional and an infinite number are rejected, never written as nothing', () => {
    expect(() => text('${payload.?x}')).toThrow('empty optional');
    expect(() => text('${1.0 / 0.0}')).toThrow('no JSON number');
    expect(() => text('${type(1)}')).toThrow('type name');
  });
});

describe('a mapped payload', () => {
  it('keeps the kind of a value that is one expression, and of what is no text', () => {
    const tree = { n: '${payload.n}', t: '${payload.n}!', l: ['${payload.l}', 1, true, null], m: { x: '${payload}' } };
    expect(payload(tree, { n: 4, l: [1] })).toEqual({
      n: 4,
      t: '4!',
      l: [[1], 1, true, null],
      m: { x: { n: 4, l: [1] } },
    });
  });

  it('may be a single value or a list', () => {
    expect(payload('${payload.n}', { n: 4 })).toBe(4);
    expect(payload(['${b}'])).toEqual(['x']);
    expect(payload(null)).toBeNull();
  });

  it('writes bytes as base64 and times in RFC 3339', () => {
    expect(payload({ b: '${b"hi"}', t: '${timestamp("2024-01-01T00:00:00Z")}' })).toEqual({
      b: 'aGk=',
      t: '2024-01-01T00:00:00.000Z',
    });
  });

  it('is not made of a payload that is not there', () => {
    const routes = route({ to: toOffice({ payload: { all: '${payload}' } }) });
    expect(() => bodyFor(routes, event({ content: 'text' }))).toThrow('the body is not JSON');
  });
});

describe('mistakes', () => {
  it.each([
    [{ text: 'a ${b' }, '/routes/r/to/text', { start: 2, end: 5 }, 'without its closing'],
    [{ text: 'a ${env:X}' }, '/routes/r/to/text', { start: 2, end: 10 }, 'only under "connections"'],
    [{ text: '${file:x}' }, '/routes/r/to/text', { start: 0, end: 9 }, 'only under "connections"'],
    [{ payload: { a: [0, '${x}'] } }, '/routes/r/to/payload/a/1', { start: 2, end: 3 }, 'Unknown variable: x'],
    [{ headers: { h: '${}' } }, '/routes/r/to/headers/h', { start: 2, end: 3 }, 'an empty expression'],
    [{ copies: '${x}' }, '/routes/r/to/copies', { start: 2, end: 3 }, 'Unknown variable: x'],
  ])('%j are found at load with their place', (parts, pointer, range, message) => {
    const [problem] = problemsOf({ to: toOffice(parts) });
    expect(problem).toMatchObject({ severity: 'error', pointer, range });
    expect(problem?.message).toContain(message);
  });
});
