import type { ReceivedEvent, SourceRequest } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { commandObjections } from '../../src/commands/command-list.ts';
import { Commands } from '../../src/commands/commands.ts';
import { connectionSchema } from '../../src/config.ts';

const ALICE = 'alice@example.org/phone';
const PUMP = 'pump-7@devices.example.org';
const SCHEMA = {
  type: 'object',
  properties: { level: { type: 'integer', maximum: 100, default: 50 } },
  required: ['level'],
};

const source = (command: string, terms: SourceRequest['terms'] = {}, contact = '{device}'): SourceRequest => ({
  pattern: {
    scheme: 'command',
    segments: [
      contact === '{device}' ? { type: 'one', name: 'device' } : { type: 'literal', value: contact },
      { type: 'literal', value: command },
    ],
  },
  options: { contact, command },
  terms,
});

const ALLOW = ['*@example.org'];
const SOURCES = [
  source('set-level', { allow: ALLOW, schema: SCHEMA, answerWithin: 5_000 }),
  source('restart', { allow: ['alice@example.org'] }),
];

/** Commands of the contact pump-7; the log stores at once unless it is told not to. */
function site(sources: readonly SourceRequest[] = SOURCES) {
  const posted: Element[] = [];
  const events: ReceivedEvent[] = [];
  const timers = new Map<() => void, number>();
  const log = { verdict: 'stored' as 'stored' | 'refused' | 'none' };
  const commands = new Commands({
    context: {
      clock: {
        now: () => 0,
        monotonic: () => 0,
        timeout: (time, call) => {
          timers.set(call, time);
          return () => timers.delete(call);
        },
      },
    },
    intake: {
      take: ({ stored, finish }, event) => {
        events.push(event);
        if (log.verdict === 'none') return;
        if (log.verdict === 'stored') stored?.();
        finish();
      },
    },
    contact: (jid) => (jid.startsWith(PUMP) ? 'pump-7' : undefined),
    isRoom: (jid) => jid === 'ops@rooms.example.org',
    post: (stanza) => void posted.push(stanza),
  });
  commands.want(sources);
  let id = 0;
  const ask = (
    node: string,
    step: { from?: string; to?: string; repeated?: boolean; id?: string; [attribute: string]: unknown } = {},
    fields?: Readonly<Record<string, string>>,
  ) => {
    const { from = ALICE, to = PUMP, repeated = false, id: own, ...attributes } = step;
    const form = Object.entries(fields ?? {}).map(([name, value]) =>
      xml('field', { var: name }, xml('value', {}, value)),
    );
    const children = fields ? [xml('x', { xmlns: NS.dataForms, type: 'submit' }, ...form)] : [];
    const command = xml('command', { xmlns: NS.commands, node, ...attributes }, ...children);
    id++;
    return commands.answer(xml('iq', { type: 'set', id: own ?? `${id}`, from, to }, command), repeated);
  };
  const pass = (time: number): void => {
    for (const [call, due] of [...timers]) if (due <= time && timers.delete(call)) call();
  };
  return { commands, ask, posted, events, log, pass, timers };
}

const sessionOf = (answer: unknown): string => /sessionid="([^"]+)"/.exec(String(answer))?.[1] ?? '';

describe('commands of contacts (XEP-0050)', () => {
  it('show a form, take it when it is right, and end with what the route answers', () => {
    const { commands, ask, events, posted } = site();
    const form = ask('set-level');
    expect(String(form)).toContain('status="executing"');
    expect(String(form)).toContain('<field var="level" type="text-single" label="level"><required/><value>50</value>');
    const session = sessionOf(form);
    const wrong = ask('set-level', { sessionid: session, action: 'complete' }, { level: '500' });
    expect(String(wrong)).toContain('<note type="error">level: expected a number of at most 100, got 500</note>');
    expect(String(wrong)).toContain('<value>500</value>');
    expect(events).toEqual([]);
    expect(ask('set-level', { sessionid: session, action: 'complete', id: 'last' }, { level: '42' })).toBe('later');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      address: { scheme: 'command', segments: ['pump-7', 'set-level'] },
      key: 'alice@example.org',
      contentType: 'application/json',
      origin: { from: ALICE, command: 'set-level', session },
    });
    expect(Buffer.from(events[0]?.body ?? []).toString()).toBe('{"level":42}');
    expect(posted).toEqual([]);
    const result = commands.result(session, ALICE, { body: Buffer.from('{"level":42,"ok":true}') });
    expect(String(result)).toContain('to="alice@example.org/phone" type="result" ');
    expect(String(result)).toContain('id="last"');
    expect(String(result)).toContain('status="completed"');
    expect(String(result)).toContain('<field var="ok" type="text-single" label="ok"><value>true</value></field>');
    commands.ended(session);
    expect(commands.result(session, ALICE, { body: Buffer.from('again') })).toBeUndefined();
  });

  it('end with an error where the route says so, and by themselves when nothing comes', () => {
    const { commands, ask, posted, pass } = site();
    const begin = (): string => {
      const session = sessionOf(ask('set-level'));
      ask('set-level', { sessionid: session }, {});
      return session;
    };
    const failed = commands.result(begin(), ALICE, { type: 'timeout', body: Buffer.from('pump-7 is silent') });
    expect(String(failed)).toContain('<note type="error">pump-7 is silent</note>');
    const silent = begin();
    pass(7_000);
    expect(String(posted.at(-1))).toContain('<note type="error">No answer has come in time.</note>');
    expect(commands.result(silent, ALICE, { body: Buffer.from('late') }), 'it then is a message').toBeUndefined();
  });

  it('are done once they are stored where nothing goes back, at once where nothing is asked', () => {
    const { ask, posted, events, log } = site();
    expect(ask('restart')).toBe('later');
    expect(Buffer.from(events[0]?.body ?? []).toString()).toBe('{}');
    expect(String(posted[0])).toContain('status="completed"');
    expect(String(posted[0])).toContain('<note type="info">Done.</note>');
    log.verdict = 'refused';
    ask('restart');
    expect(String(posted[1])).toContain('<note type="error">The command could not be taken.</note>');
  });

  it('say too long or unreadable answers in a message instead', () => {
    const { commands, ask, posted } = site();
    const session = sessionOf(ask('set-level'));
    ask('set-level', { sessionid: session }, {});
    expect(commands.result(session, ALICE, { body: Buffer.alloc(40_000, 'x') })).toBeUndefined();
    expect(String(posted[0])).toContain('<note type="info">The answer comes as a message.</note>');
  });

  it('say in a message what would be too large as a form, and no character that XML forbids', () => {
    const { commands, ask, posted } = site();
    const begin = (): string => {
      const session = sessionOf(ask('set-level'));
      ask('set-level', { sessionid: session }, {});
      return session;
    };
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`v${index}`, 1]));
    expect(commands.result(begin(), ALICE, { body: Buffer.from(JSON.stringify(many)) })).toBeUndefined();
    expect(String(posted[0])).toContain('<note type="info">The answer comes as a message.</note>');
    const odd = commands.result(begin(), ALICE, { body: Buffer.from('{"\\u0001a":1}') });
    expect(String(odd)).toContain('<field var="\ufffda" type="text-single" label="\ufffda">');
  });

  it('do not send back a form that is too large, or more of a wrong value than anybody reads', () => {
    const { ask } = site();
    const session = sessionOf(ask('set-level'));
    const wrong = String(ask('set-level', { sessionid: session }, { level: "'".repeat(200_000) }));
    expect(wrong).toContain('<note type="error">level: expected');
    expect(wrong.length).toBeLessThan(10_000);
  });

  it('are found and run by whom their route allows, and do not exist elsewhere', () => {
    const { commands, ask, events } = site();
    expect(commands.listFor('pump-7', ALICE).map(({ node }) => node)).toEqual(['set-level', 'restart']);
    expect(commands.listFor('pump-7', 'bob@example.org/x').map(({ node }) => node)).toEqual(['set-level']);
    expect(commands.listFor('pump-7', 'mallory@elsewhere')).toEqual([]);
    expect(String(ask('restart', { from: 'bob@example.org/x' }))).toContain('<forbidden');
    expect(String(ask('restart', { from: 'ops@rooms.example.org/alice' }))).toContain('<forbidden');
    expect(String(ask('restart', { from: '' }))).toContain('<forbidden');
    expect(String(ask('explode'))).toContain('<item-not-found');
    expect(String(ask('restart', { to: 'ghost@devices.example.org' }))).toContain('<item-not-found');
    expect(events).toEqual([]);
  });

  it('go on with whoever began them, once, and with nobody else', () => {
    const { ask, events, log } = site();
    log.verdict = 'none';
    const session = sessionOf(ask('set-level'));
    const steal = (step: object): string => String(ask('set-level', { sessionid: session, ...step }, { level: '1' }));
    expect(steal({ from: 'alice@example.org/other' })).toContain('<bad-sessionid');
    expect(steal({ from: 'bob@example.org/phone' })).toContain('<bad-sessionid');
    expect(steal({ sessionid: 'guessed' })).toContain('<bad-sessionid');
    expect(String(ask('restart', { sessionid: session }, {}))).toContain('<bad-sessionid');
    expect(events).toEqual([]);
    expect(ask('set-level', { sessionid: session, id: 'go' }, { level: '1' })).toBe('later');
    expect(ask('set-level', { sessionid: session, id: 'go', repeated: true }, { level: '1' })).toBe('later');
    expect(String(ask('set-level', { sessionid: session }, { level: '2' }))).toContain('<unexpected-request');
    expect(events).toHaveLength(1);
  });

  it('do not run twice when a server repeats what it has sent', () => {
    const { ask, events } = site();
    expect(String(ask('restart', { repeated: true }))).toContain('<recipient-unavailable');
    expect(events).toEqual([]);
  });

  it('can be cancelled, and have no step before or behind the form', () => {
    const { ask } = site();
    const session = sessionOf(ask('set-level'));
    expect(String(ask('set-level', { sessionid: session, action: 'prev' }))).toContain('<bad-action');
    expect(String(ask('set-level', { sessionid: session, action: 'next' }, {}))).toContain('<bad-action');
    expect(String(ask('set-level', { sessionid: session, action: 'dance' }))).toContain('<malformed-action');
    expect(String(ask('set-level', { sessionid: session, action: 'complete' }))).toContain('<bad-payload');
    expect(String(ask('set-level', { sessionid: session, action: 'cancel' }))).toContain('status="canceled"');
    expect(String(ask('set-level', { sessionid: session }, {}))).toContain('<bad-sessionid');
  });

  it('take nothing but one step in an iq of type set', () => {
    const { commands, events } = site();
    const command = (): Element => xml('command', { xmlns: NS.commands, node: 'restart' });
    const iq = (type: string, ...children: Element[]): string =>
      String(commands.answer(xml('iq', { type, id: 'x', from: ALICE, to: PUMP }, ...children), false));
    expect(iq('get', command())).toContain('<bad-request');
    expect(iq('set', command(), xml('delay', { xmlns: NS.delay, stamp: '2026-01-01T00:00:00Z' }))).toContain(
      '<bad-request',
    );
    expect(iq('set', command(), command())).toContain('<bad-request');
    expect(events).toEqual([]);
  });

  it('are bounded for each person and in all, and forgotten when nobody goes on', () => {
    const { ask, pass, timers, log } = site();
    log.verdict = 'none';
    const first = sessionOf(ask('set-level'));
    for (let each = 0; each < 10; each++) ask('set-level');
    expect(timers.size).toBe(10);
    expect(String(ask('set-level', { sessionid: first }, {})), 'the oldest made room').toContain('<bad-sessionid');
    for (let each = 0; each < 12; each++) ask('restart');
    expect(String(ask('restart')), 'all ten run').toContain('<resource-constraint');
    for (let each = 0; each < 1_100; each++) ask('set-level', { from: `user${each}@example.org/x` });
    expect(timers.size).toBe(1_000);
    expect(String(ask('set-level')), 'forms that strangers leave open lock nobody out').toContain(
      '<resource-constraint',
    );
    expect(String(ask('set-level', { from: 'bob@example.org/x' }))).toContain('status="executing"');
    expect(timers.size).toBe(1_000);
    pass(10 * 60_000);
    expect(timers.size).toBe(0);
  });
});

describe('commands in magpie check', () => {
  const config = connectionSchema.parse({ jid: 'bridge@example.org', password: 'x' });

  it('are refused where two meet at a contact, or no form can be made', () => {
    const nested = { type: 'object', properties: { limits: { type: 'object' } } };
    const objections = commandObjections(config, [
      source('set-level'),
      source('set-level', {}, 'pump-7'),
      source('restart'),
      source('limits', { schema: nested }),
    ]);
    expect(objections[0]).toBeUndefined();
    expect(objections[1]).toContain('another route has the command "set-level"');
    expect(objections[2]).toBeUndefined();
    expect(objections[3]).toContain('payloadSchema, at /properties/limits');
    expect(commandObjections(config, [source('a', {}, 'x'), source('a', {}, 'y')])).toEqual([undefined, undefined]);
  });
});
