import { describe, expect, it } from 'vitest';
import { compile, event, toOffice } from '../support/adapters.ts';

describe('payloadSchema', () => {
  const schema = {
    type: 'object',
    properties: { severity: { type: 'integer' }, tags: { type: 'array', items: { $ref: '#/$defs/tag' } } },
    required: ['severity'],
    $defs: { tag: { type: 'string' } },
  };
  const typed = { payloadSchema: 'alarm.json', when: 'payload.severity >= 3' };
  const read = { readJsonFile: () => schema };

  it('finds a misspelt field at load', () => {
    const parts = { from: { connection: 'floor', path: 'a' }, to: toOffice(), ...typed, when: 'payload.severty >= 3' };
    expect(compile({ r: parts }, read).problems).toMatchObject([{ hint: 'did you mean "severity"?' }]);
  });

  it('passes what fits and rejects what does not', () => {
    const { routes } = compile({ r: { from: { connection: 'floor', path: 'a/x' }, to: toOffice(), ...typed } }, read);
    expect(routes.match(event({ json: { severity: 3 } }))).toHaveLength(1);
    expect(routes.match(event({ json: { severity: 2 } }))).toHaveLength(0);
    expect(routes.match(event({ json: { severity: 'high', tags: [1] } }))[0]?.error?.message).toBe(
      'route "r": expected a payload that fits alarm.json: /severity: expected a whole number, got a text; /tags/0: expected a text, got a number',
    );
    expect(routes.match(event({ content: 'x' }))[0]?.error?.message).toMatch(
      /^route "r": expected a payload that fits alarm.json, got a body that is not JSON: it begins with neither/,
    );
  });

  it('reports a file that cannot be read', () => {
    const readJsonFile = (): never => {
      throw new Error('ENOENT: no such file');
    };
    const { problems } = compile(
      { r: { from: { connection: 'floor', path: 'a' }, to: toOffice(), ...typed } },
      { readJsonFile },
    );
    expect(problems).toMatchObject([{ pointer: '/routes/r/payloadSchema' }]);
    expect(problems[0]?.message).toContain('ENOENT');
  });
});
