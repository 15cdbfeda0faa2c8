import { describe, expect, it } from 'vitest';
import { compile, problemsOf } from '../support/adapters.ts';

const asks = {
  from: { connection: 'office', desk: '{who}', text: 'level of {device}' },
  allow: ['boss'],
  to: { connection: 'floor', path: 'get/${device}' },
  reply: {
    from: { path: 'said/{device}' },
    timeout: '5s',
    text: '${device}: ${reply.payload.level}',
    onTimeout: '${device} is silent',
  },
  otherwise: 'say: level of DEVICE',
};
const given = { desk: 'd7', text: 'level of pump', origin: { role: 'boss' } };
const taken = [{ connection: 'floor', path: 'get/pump' }];

const failure = (answers: readonly object[], test: object = { given, expect: taken }) => {
  const { problems, routes } = compile({ r: { ...asks, tests: [{ ...test, answers }] } });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return routes.test()[0]?.failure;
};

describe('a test of a route that answers', () => {
  it('passes when what goes back after a reply, a timeout and a refusal is as expected', () => {
    const answers = [
      { reply: { payload: { level: 42 } }, expect: { connection: 'office', desk: 'd7', text: 'pump: 42' } },
      { timeout: true, expect: { text: 'pump is silent' } },
      { refused: 'no such device', expect: null },
      { expect: null },
    ];
    expect(failure(answers)).toBeUndefined();
  });

  it('passes when what is said to a command that is none, or late, is as expected', () => {
    const none = { ...given, text: 'level of' };
    expect(failure([{ expect: { text: 'say: level of DEVICE' } }], { given: none, expect: [] })).toBeUndefined();
    const late = { ...given, origin: { role: 'boss', late: true } };
    const text = 'Not run, because it was said while the gateway was away: level of pump';
    expect(failure([{ expect: { text } }], { given: late, expect: [] })).toBeUndefined();
  });

  it('says what else goes back', () => {
    const reply = { payload: { level: 42 } };
    expect(failure([{ reply, expect: { text: 'pump: 41' } }])).toBe(
      'what goes back after reply: text: expected "pump: 41", got "pump: 42"',
    );
    expect(failure([{ reply, expect: null }])).toBe('what goes back after reply: expected nothing, got "pump: 42"');
    expect(failure([{ refused: 'x', expect: {} }])).toBe('what goes back after refused: expected an answer, got none');
    expect(failure([{ reply: { text: 'ok' }, expect: {} }])).toContain('what goes back after reply: ');
  });

  it.each([
    [{ reply: {}, timeout: true, expect: null }, 'expected one of reply, timeout and refused'],
    [{ expect: { txt: 'x' } }, '"txt"'],
    [{ reply: { path: 'x', payloat: 1 }, expect: null }, '"payloat"'],
    [{ reply: {} }, 'expect'],
  ])('refuses %j', (entry, message) => {
    const found = problemsOf({ ...asks, tests: [{ given, expect: taken, answers: [entry] }] });
    expect(JSON.stringify(found)).toContain(message.replaceAll('"', '\\"'));
  });

  it('refuses a reply where the route waits for none', () => {
    const { reply, ...plain } = asks;
    const found = problemsOf({
      ...plain,
      tests: [{ given, expect: taken, answers: [{ timeout: true, expect: null }] }],
    });
    expect(reply).toBeDefined();
    expect(JSON.stringify(found)).toContain('the route has no');
  });
});
