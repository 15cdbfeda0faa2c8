import { JsonNumber } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { compile, event, problemsOf, route, toOffice } from '../support/adapters.ts';

const ID = '1724442618569203714';
const PAYLOAD = `{"id":${ID},"uid":18446744073709551615,"far":1e400,"tiny":[0.1e-400],"temp":21.300000000000001,"n":5,"m":${ID}.0}`;

const of = (payload = PAYLOAD): ReturnType<typeof event> =>
  event({ content: payload, contentType: 'application/json' });

const holds = (when: string, payload = PAYLOAD, parts: Record<string, unknown> = {}): boolean => {
  const [match] = route({ ...parts, when }).match(of(payload));
  if (match?.error !== undefined) throw match.error;
  return match !== undefined;
};

const rendered = (target: Record<string, unknown>, parts: Record<string, unknown> = {}) => {
  const [match] = route({ ...parts, to: { connection: 'office', desk: 'd', ...target } }).match(of());
  if (match === undefined) throw new Error('no match');
  return match.target.render(of());
};

const bodyOf = (target: Record<string, unknown>, parts: Record<string, unknown> = {}): string =>
  Buffer.from(rendered(target, parts).parts.body).toString();

describe('the digits of a number', () => {
  it.each([
    ['a mapping', { payload: { id: '${payload.id}', far: '${payload.far}' } }, `{"id":${ID},"far":1e400}`],
    ['a mapping of the whole', { payload: '${payload}' }, PAYLOAD.replace('.0}', '}')],
    ['a mapping of parts', { payload: ['${payload.tiny}', '${payload.temp}'] }, '[[0.1e-400],21.300000000000001]'],
    ['a mapping of all', { payload: '${[payload].map(p, {"v": [p.uid]})}' }, '[{"v":[18446744073709551615]}]'],
    ['a literal', { payload: `\${${ID}}` }, ID],
    ['a constant', { payload: { id: new JsonNumber(ID), far: new JsonNumber('1e400') } }, `{"id":${ID},"far":1e400}`],
    ['text', { text: 'id ${payload.id}, ${payload.far}, ${payload.tiny}' }, `id ${ID}, 1e400, [0.1e-400]`],
    ['text made by +', { text: '${"t " + payload.temp + payload.id}' }, `t 21.300000000000001${ID}`],
    ['string()', { text: '${string(payload.temp)} ${string(payload.far)}' }, '21.300000000000001 1e400'],
  ])('stay what they are in %s', (_, target, body) => {
    expect(bodyOf(target)).toBe(body);
  });

  it('stay what they are in let, key, address, header and option', () => {
    const parts = {
      let: { id: 'payload.id', all: { id: 'payload.uid', far: new JsonNumber('1e400'), big: new JsonNumber(ID) } },
    };
    expect(bodyOf({ payload: { id: '${id}', all: '${all}' } }, parts)).toBe(
      `{"id":${ID},"all":{"id":18446744073709551615,"far":1e400,"big":${ID}}}`,
    );
    expect(route({ key: '${payload.id}-${payload.temp}' }).match(of())[0]?.key).toBe(`${ID}-21.300000000000001`);
    const { parts: sent, target } = rendered({
      desk: '${payload.id}',
      headers: { id: '${payload.id}', n: '${payload.n}' },
    });
    expect(target.address.segments).toEqual([ID]);
    expect(sent.headers).toEqual([
      ['id', ID],
      ['n', 5],
    ]);
    expect(holds(`id == ${ID} && all.big == id`, PAYLOAD, parts)).toBe(true);
  });

  it('stay what they are in JSON that an expression parses', () => {
    expect(bodyOf({ payload: '${bytes(text).json().id}' })).toBe(ID);
  });

  it('are compared by route tests', () => {
    const given = { path: 'a/x', payload: { id: new JsonNumber(ID) }, headers: { h: new JsonNumber(ID) } };
    const to = { connection: 'office', desk: 'd', payload: { id: '${payload.id}' } };
    const wanted = (id: string) => ({
      connection: 'office',
      payload: { id: new JsonNumber(id) },
      headers: { h: new JsonNumber(ID) },
    });
    const tests = [ID, '1724442618569203715'].map((id) => ({ given, expect: [wanted(id)] }));
    const results = route({ to, tests }).test();
    expect(results.map(({ failure }) => failure)).toEqual([
      undefined,
      `delivery 1: payload: expected {"id":1724442618569203715}, got {"id":${ID}}`,
    ]);
  });
});

describe('a condition', () => {
  it.each([
    `payload.id == ${ID}`,
    `payload.id in [1, ${ID}]`,
    `payload.id > ${ID.slice(0, -1)}3 && payload.id < ${ID.slice(0, -1)}5`,
    `payload.id + 1 == ${ID.slice(0, -1)}5`,
    'payload.id != 1724442618569203700.0',
    'payload.id != 1724442618569203713',
    `payload.m == payload.id`,
    'payload.uid == 18446744073709551615u && payload.uid > 18446744073709551614u',
    'payload.temp > 21 && payload.temp < 22.0 && payload.temp >= payload.n && payload.temp != 21',
    'payload.temp == 21.3 && 21.3 == payload.temp && payload.temp == payload.temp',
    'payload.temp * 2.0 > 42 && 2 * payload.temp < 43 && -payload.temp < 0 && payload.temp + payload.temp > 42.5',
    'double(payload.temp) == 21.3 && int(payload.temp) == 21',
    'has(payload.far) && payload.n == 5',
    'payload.far != "x"',
  ])('%s holds', (when) => {
    expect(holds(when)).toBe(true);
  });

  it.each([
    ['payload.far > 1', '"/far"'],
    ['payload.far == 1e308', '"/far"'],
    ['payload.tiny[0] == 0.0', '"/tiny/0"'],
    ['payload.tiny.exists(x, x > 1.0)', '"/tiny/0"'],
    ['-payload.far < 1.0', '"/far"'],
  ])('%s is refused, as no expression can hold the number', (when, pointer) => {
    expect(() => holds(when)).toThrow(`is neither an integer of 64 bits nor a double (in the payload at ${pointer})`);
  });

  it.each(['18446744073709551616', '-9223372036854775809', '12345678901234567890.5', '1e-400', '9007199254740993.5'])(
    'over %s is refused',
    (number) => {
      expect(() => holds('payload.a > 1', `{"a":${number}}`)).toThrow(`${number} is neither`);
    },
  );

  it('never rounds an integer to calculate with it', () => {
    expect(() => holds('payload.id + payload.n > 1')).toThrow(`${ID} cannot be calculated with together with a double`);
    expect(holds(`payload.id + int(payload.n) == ${ID.slice(0, -1)}9`)).toBe(true);
  });
});

describe('a literal that no double holds', () => {
  it.each(['0.1234567890123456789', '1e400', '21.300000000000001'])('%s is an error at load', (literal) => {
    expect(problemsOf({ when: `payload.a == ${literal}` })).toMatchObject([
      { severity: 'error', pointer: '/routes/r/when', range: { start: 13, end: 13 + literal.length } },
    ]);
  });
});

describe('a payload with a declared shape', () => {
  const schema = {
    type: 'object',
    properties: {
      id: { type: 'integer' },
      temp: { type: 'number' },
      far: { type: 'number' },
      big: { type: 'integer', maximum: 10 },
    },
  };
  const read = { readJsonFile: () => schema };
  const typed = (parts: Record<string, unknown>) =>
    compile(
      { r: { from: { connection: 'floor', path: 'a/x' }, payloadSchema: 's.json', to: toOffice(), ...parts } },
      read,
    );

  it('takes integers of 64 bits and compares them exactly', () => {
    const { routes } = typed({ when: `payload.id == ${ID} && payload.temp > 21` });
    expect(routes.match(of(`{"id":${ID},"temp":21.300000000000001}`))[0]).toMatchObject({ key: 'path:a/x' });
    expect(routes.match(of(`{"id":${ID},"temp":21.300000000000001}`))[0]?.error).toBeUndefined();
    expect(routes.match(of(`{"id":1724442618569203715,"temp":22}`))).toEqual([]);
  });

  it('hands its numbers on with their digits', () => {
    const to = { connection: 'office', desk: 'd', payload: ['${t}', '${payload.id}', '${payload.temp}'] };
    const { routes } = typed({ let: { t: 'payload.temp' }, to });
    const [match] = routes.match(of(`{"id":${ID},"temp":21.300000000000001}`));
    expect(String(Buffer.from(match!.target.render(of(`{"id":${ID},"temp":21.300000000000001}`)).parts.body))).toBe(
      `[21.300000000000001,${ID},21.300000000000001]`,
    );
  });

  it('refuses a schema whose constant would become another number, and takes bounds of 64 bits', () => {
    const problemsOfSchema = (id: object) => {
      const readJsonFile = () => ({ type: 'object', properties: { id } });
      return compile(
        { r: { from: { connection: 'floor', path: 'a/x' }, payloadSchema: 's.json', to: toOffice() } },
        { readJsonFile },
      ).problems;
    };
    expect(problemsOfSchema({ enum: [new JsonNumber(ID)] })[0]?.message).toContain(
      `/properties/id/enum/0: expected a number that a double can hold, got ${ID}`,
    );
    expect(problemsOfSchema({ type: 'integer', maximum: new JsonNumber('9223372036854775807') })).toEqual([]);
  });

  it('still finds mistakes at load and refuses what does not fit', () => {
    expect(typed({ when: 'payload.temp.x == 1' }).problems).toHaveLength(1);
    expect(typed({ when: 'payload.temp' }).problems).toMatchObject([
      { message: expect.stringContaining('type double') },
    ]);
    const { routes } = typed({});
    expect(routes.match(of(`{"big":${ID}}`))[0]?.error?.message).toContain('expected a payload that fits s.json');
    expect(routes.match(of('{"far":1e400}'))[0]?.error?.message).toContain('expected a payload that fits s.json');
  });
});

describe('a body that is not JSON', () => {
  it.each([
    ['{"severity":4}\0\u0001', 'application/json', 'got NUL (a C string sent with its terminator?), at byte 14'],
    ['{"severity":NaN}', undefined, 'expected a value, got NaN, at byte 12'],
    ['hot', 'text/plain', 'its media type is "text/plain"'],
  ])('%j is rejected with the reason', (content, contentType, reason) => {
    const wrong = event({ content, ...(contentType === undefined ? {} : { contentType }) });
    const [match] = route({ when: 'payload.severity >= 3' }).match(wrong);
    expect(match?.error?.message).toContain('payload is null: the body is not JSON: ');
    expect(match?.error?.message).toContain(reason);
    const [taken] = route({ to: { connection: 'office', desk: 'd', payload: '${payload}' } }).match(wrong);
    expect(() => taken!.target.render(wrong)).toThrow(reason);
  });

  it('but for a byte order mark or NULs at the end is read', () => {
    for (const content of ['\uFEFF{"severity":4}', '{"severity":4}\0']) {
      expect(route({ when: 'payload.severity >= 3' }).match(event({ content }))[0]?.error).toBeUndefined();
    }
  });

  it('is text in the charset that it declares', () => {
    const latin = event({ body: Buffer.from('Tür', 'latin1'), contentType: 'text/plain; charset=iso-8859-1' });
    const [match] = route({ when: 'text == "Tür"', to: { connection: 'office', desk: 'd', text: '${text}!' } }).match(
      latin,
    );
    expect(String(Buffer.from(match!.target.render(latin).parts.body))).toBe('Tür!');
  });
});
