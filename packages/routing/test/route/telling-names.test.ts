import { describe, expect, it } from 'vitest';
import { event, route } from '../support/adapters.ts';

const PAYLOAD =
  '{"constructor":"Ferrari","n":5,"all":[{"constructor":1,"__proto__":2}],"deep":{"constructor":{"n":7}}}';

const of = (payload = PAYLOAD, headers: readonly (readonly [string, string])[] = []): ReturnType<typeof event> => ({
  ...event({ content: payload, contentType: 'application/json' }),
  headers,
});

const holds = (when: string, received = of(), parts: Record<string, unknown> = {}): boolean => {
  const [match] = route({ ...parts, when }).match(received);
  if (match?.error !== undefined) throw match.error;
  return match !== undefined;
};

const bodyOf = (target: Record<string, unknown>): string => {
  const [match] = route({ to: { connection: 'office', desk: 'd', ...target } }).match(of());
  return Buffer.from(match!.target.render(of()).parts.body).toString();
};

describe('a body with a key by which the language tells types', () => {
  it.each([
    'payload.n == 5',
    'payload.constructor == "Ferrari"',
    'payload["constructor"] == "Ferrari"',
    'payload.all[0].constructor == 1',
    'payload.deep.constructor.n == 7',
    'has(payload.constructor) && !has(payload.other)',
    '"constructor" in payload && !("other" in payload)',
    'payload.exists(name, name == "n")',
    'size(payload) == 4',
    'payload.all.exists(each, each.constructor == 1)',
  ])('is looked into like others: %s', (when) => expect(holds(when)).toBe(true));

  it('is mapped with all of its keys', () => {
    expect(bodyOf({ payload: { all: '${payload.all}', car: '${payload.constructor}' } })).toBe(
      '{"all":[{"constructor":1,"__proto__":2}],"car":"Ferrari"}',
    );
    expect(bodyOf({ payload: '${payload}' })).toBe(PAYLOAD);
    expect(bodyOf({ text: '${payload.deep}' })).toBe('{"constructor":{"n":7}}');
  });
});

it('headers of such a name can be looked at, and others beside it', () => {
  const received = of('{}', [
    ['constructor', 'x'],
    ['other', 'y'],
  ]);
  expect(holds('headers.other == "y" && headers["constructor"] == "x"', received)).toBe(true);
  expect(holds('headersAll["constructor"].exists(v, v == "x") && "other" in headers', received)).toBe(true);
});
