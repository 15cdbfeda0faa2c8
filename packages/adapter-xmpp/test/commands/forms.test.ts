import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { planForm } from '../../src/commands/form-plan.ts';
import { readForm } from '../../src/commands/form-values.ts';

type Schema = Exclude<Parameters<typeof z.fromJSONSchema>[0], boolean>;

const SCHEMA: Schema = {
  type: 'object',
  title: 'Set level',
  description: 'How full the tank is kept.',
  properties: {
    level: { type: 'integer', title: 'Level', minimum: 0, maximum: 100, default: 50 },
    mode: { enum: ['auto', 'manual'] },
    speed: {
      oneOf: [
        { const: 1, title: 'slow' },
        { const: 2, title: 'fast' },
      ],
    },
    factor: { type: 'number', description: 'Of the pump.' },
    quiet: { type: 'boolean', default: true },
    note: { type: 'string', format: 'textarea', maxLength: 20 },
    pin: { $ref: '#/$defs/pin' },
    zones: { type: 'array', items: { enum: ['a', 'b'] } },
    lines: { type: 'array', items: { type: 'string' } },
    version: { const: 3 },
  },
  required: ['level', 'mode'],
  additionalProperties: false,
  $defs: { pin: { type: ['string', 'null'], writeOnly: true } },
};

const PLAN = planForm(SCHEMA);
const VALIDATOR = z.fromJSONSchema(SCHEMA);
const read = (filled: Readonly<Record<string, readonly string[]>>) =>
  readForm(PLAN, new Map(Object.entries(filled)), VALIDATOR);

describe('a form made from a JSON Schema', () => {
  it('has a field for each property, of the type that people know', () => {
    expect(PLAN.title).toBe('Set level');
    expect(PLAN.fields.map(({ name, type }) => [name, type])).toEqual([
      ['level', 'text-single'],
      ['mode', 'list-single'],
      ['speed', 'list-single'],
      ['factor', 'text-single'],
      ['quiet', 'boolean'],
      ['note', 'text-multi'],
      ['pin', 'text-private'],
      ['zones', 'list-multi'],
      ['lines', 'text-multi'],
    ]);
    expect(PLAN.fields[0]).toMatchObject({
      label: 'Level',
      required: true,
      fallback: 50,
      number: { datatype: 'xs:integer', min: 0, max: 100 },
    });
    expect(PLAN.fields[2]?.options).toEqual([
      { label: 'slow', text: '1', value: 1 },
      { label: 'fast', text: '2', value: 2 },
    ]);
  });

  it('becomes an object with typed values, defaults and what has one value only', () => {
    const filled = {
      level: [' 42 '],
      mode: ['auto'],
      speed: ['2'],
      factor: ['1.5'],
      quiet: ['0'],
      note: ['a', 'b'],
      zones: ['a', 'b'],
      lines: ['x'],
      unknown: ['left out'],
    };
    expect(read(filled).payload).toEqual({
      ...{ level: 42, mode: 'auto', speed: 2, factor: 1.5, quiet: false, note: 'a\nb' },
      ...{ zones: ['a', 'b'], lines: ['x'], version: 3 },
    });
    expect(read({ mode: ['manual'] }).payload).toEqual({ level: 50, mode: 'manual', quiet: true, version: 3 });
    expect(read({ mode: ['manual'], note: [''], factor: [''] }).payload).toEqual({
      ...{ level: 50, mode: 'manual', quiet: true, version: 3 },
    });
  });

  it('says what is wrong in words, by the labels that people see', () => {
    expect(read({ level: ['500'], mode: ['other'] }).problems).toEqual([
      'Level: expected a number of at most 100, got 500',
      'mode: expected auto or manual, got "other"',
    ]);
    expect(read({ level: [''] }).problems).toEqual(['Level: a value is needed', 'mode: a value is needed']);
    expect(read({ level: ['ten'], mode: ['auto'] }).problems).toEqual(['Level: expected a whole number, got "ten"']);
    expect(read({ level: ['9007199254740993'], mode: ['auto'] }).problems?.[0]).toContain('Level: expected');
    expect(read({ level: ['1'], mode: ['auto'], quiet: ['perhaps'] }).problems?.[0]).toContain('true or false');
    const long = read({ level: ['1'], mode: ['auto'], zones: ['c'] });
    expect(long.problems?.[0]).toContain('zones: expected');
  });

  it('shows no secret in what it says', () => {
    const schema: Schema = {
      type: 'object',
      properties: { pin: { type: 'string', format: 'password', minLength: 9 } },
    };
    const { problems } = readForm(planForm(schema), new Map([['pin', ['canary']]]), z.fromJSONSchema(schema));
    expect(problems?.[0]).toContain('pin: expected');
    expect(problems?.join()).not.toContain('canary');
  });

  it.each([
    [{ type: 'array' }, '/type'],
    [{ properties: { limits: { type: 'object', properties: {} } } }, '/properties/limits'],
    [{ properties: { any: {} } }, '/properties/any'],
    [{ properties: { rows: { type: 'array', items: { type: 'number' } } } }, '/properties/rows/items'],
    [{ properties: { far: { $ref: 'https://example.org/x' } } }, '/properties/far'],
    [{ properties: { round: { $ref: '#/properties/round' } } }, '/properties/round'],
    [{ properties: {}, required: ['ghost'] }, '/required'],
  ])('cannot be made from %j', (schema, pointer) => {
    expect(() => planForm(schema)).toThrow(pointer);
  });
});
