import { describe, expect, it } from 'vitest';
import { event, problemsOf, route, toOffice } from '../support/adapters.ts';

const alarm = {
  from: { connection: 'floor', path: 'plant/{device}/alarm' },
  when: 'payload.severity >= 3',
  to: [
    toOffice({ text: '${device}: ${payload.text}' }),
    {
      connection: 'yard',
      path: 'out/${device}',
      keep: true,
      payload: { s: '${payload.severity}' },
      headers: { h: 'v' },
    },
  ],
};
const given = { path: 'plant/p7/alarm', payload: { severity: 4, text: 'hot' } };
const run = (test: Record<string, unknown>, parts: Record<string, unknown> = alarm) =>
  route({ ...parts, tests: [test] }).test()[0]?.failure;

describe('a route test', () => {
  it('passes when the deliveries are as expected in every field named', () => {
    const expected = [
      { connection: 'office', desk: 'd1', text: 'p7: hot' },
      {
        connection: 'yard',
        path: 'out/p7',
        keep: true,
        payload: { s: 4 },
        headers: { h: 'v' },
        contentType: 'application/json',
      },
    ];
    expect(run({ given, expect: expected })).toBeUndefined();
  });

  it('has a name, a pointer and its route', () => {
    const tests = [
      { given, expect: [] },
      { name: 'quiet', given: { ...given, payload: { severity: 1 } }, expect: [] },
    ];
    expect(route({ ...alarm, tests }).test()).toMatchObject([
      { route: 'r', name: '#1', pointer: '/routes/r/tests/0' },
      { route: 'r', name: 'quiet', pointer: '/routes/r/tests/1' },
    ]);
  });

  it.each([
    [[], 'expected no deliveries, got 2 deliveries: office (office/desk:d1), yard (yard/path:out/${device})'],
    [
      [{ connection: 'office' }, { connection: 'yard', path: 'out/p8' }],
      'delivery 2: path: expected "out/p8", got "out/p7"',
    ],
    [
      [
        { connection: 'office', text: 'x' },
        { connection: 'yard', payload: { s: 5 }, headers: { h: 'w' } },
      ],
      'delivery 1: text: expected "x", got "p7: hot"; delivery 2: payload: expected {"s":5}, got {"s":4}; delivery 2: header h: expected "w", got "v"',
    ],
    [[{ connection: 'yard' }, { connection: 'yard' }], 'delivery 1: connection: expected "yard", got "office"'],
  ])('fails with what was expected and what came', (expected, failure) => {
    expect(run({ given, expect: expected })).toBe(failure);
  });

  it('fails with the error of an expression', () => {
    const missing = {
      given: { ...given, payload: { severity: 4 } },
      expect: [{ connection: 'office' }, { connection: 'yard' }],
    };
    expect(run(missing)).toContain('delivery 1: route "r": /routes/r/to/0/text');
    expect(run({ given: { path: 'plant/p7/alarm', payload: {} }, expect: [] })).toContain('No such key: severity');
  });

  it('fails for a message from another place', () => {
    expect(run({ given: { ...given, path: 'plant/p7' }, expect: [{ connection: 'office' }] })).toBe(
      'expected 1 delivery, got no deliveries',
    );
  });

  it('knows kind, origin, headers and the rest of a message', () => {
    const parts = {
      from: { connection: 'floor', path: 'only/here', kind: 'status' },
      when: 'origin.level == 2 && headers.h == "v" && event.id == "m" && headers.raw == b"hi"',
      to: toOffice(),
    };
    const message = {
      kind: 'status',
      origin: { level: 2 },
      headers: { h: 'v', raw: { base64: 'aGk=' } },
      id: 'm',
      text: 'x',
    };
    expect(
      run({ given: message, expect: [{ connection: 'office', text: 'x', id: 'office/desk:d1' }] }, parts),
    ).toBeUndefined();
  });

  it.each([
    [{ given: { ...given, pth: 'x' }, expect: [] }, '/routes/r/tests/0/given/pth'],
    [{ given: { payload: 1 }, expect: [] }, '/routes/r/tests/0/given'],
    [{ given: { ...given, text: 'x' }, expect: [] }, '/routes/r/tests/0/given'],
    [{ given: { ...given, origin: { lvel: 1 } }, expect: [] }, '/routes/r/tests/0/given/origin/lvel'],
    [{ given, expect: [{ connection: 'ofice' }] }, '/routes/r/tests/0/expect/0/connection'],
    [{ given, expect: [{ connection: 'office', tekst: 'x' }] }, '/routes/r/tests/0/expect/0/tekst'],
    [{ given }, '/routes/r/tests/0/expect'],
  ])('%j is reported at load', (test, pointer) => {
    expect(problemsOf({ ...alarm, tests: [test] })[0]).toMatchObject({ severity: 'error', pointer });
  });
});

describe('an explanation', () => {
  const routes = route(alarm);
  const at = (json: unknown, ...segments: string[]) => event({ json, address: { scheme: 'path', segments } });

  it('shows the values a false condition was about', () => {
    expect(routes.explain(at({ severity: 2 }, 'plant', 'p7', 'alarm'))).toEqual([
      {
        ...{ route: 'r', matched: false, captures: { device: 'p7' }, targets: [] },
        reason: 'when was false: payload.severity >= 3, with payload.severity = 2 (number)',
      },
    ]);
  });

  it('shows what each target would get, or why not', () => {
    const [explanation] = routes.explain(at({ severity: 3 }, 'plant', 'p7', 'alarm'));
    expect(explanation).toMatchObject({ matched: true, captures: { device: 'p7' } });
    expect(explanation?.reason).toContain('the address fits path "plant/{device}/alarm" and when was true');
    expect(explanation?.targets[0]?.error).toContain('No such key: text');
    expect(explanation?.targets[1]?.rendered?.target.address.segments).toEqual(['out', 'p7']);
  });

  it('says what could not be decided', () => {
    const [explanation] = routes.explain(at({}, 'plant', 'p7', 'alarm'));
    expect(explanation?.reason).toContain('could not decide: route "r": /routes/r/when');
  });

  it.each([
    [{ source: 'yard' }, {}, 'takes events from "floor", this one is from "yard"'],
    [{ address: { scheme: 'path', segments: ['b'] } }, {}, 'the address does not fit path "a/{b}"'],
    [{ kind: 'receipt' as const }, {}, 'takes events of kind message, this one is a receipt'],
    [{ via: ['gw'] }, {}, 'the event has passed this gateway ("gw") before'],
    [{ via: Array.from({ length: 8 }, String) }, {}, 'the event has passed 8 gateways, the limit is 8'],
    [{ content: 'x' }, { from: { connection: 'floor', path: 'a/{b}', text: '!{c}' } }, 'the text does not fit "!{c}"'],
    [
      { origin: { replay: true } },
      { from: { connection: 'floor', path: 'a/{b}', text: '!{c}' } },
      'is a replay of an earlier one, which never runs a command route',
    ],
    [
      { origin: { replaces: 'm1' } },
      { from: { connection: 'floor', path: 'a/{b}', text: '!{c}' } },
      'corrects an earlier message, which never runs a command route',
    ],
    [{}, {}, 'the address fits path "a/{b}"'],
  ])('%j: %s', (of, parts, reason) => {
    expect(route(parts).explain(event(of))[0]?.reason).toContain(reason);
  });
});
