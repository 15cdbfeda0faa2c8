import { describe, expect, it } from 'vitest';
import { DIRECT } from '../src/index.ts';
import { bodyFor, compile, event, route, toOffice } from './support/adapters.ts';

const alarms = {
  'alarms-to-ops': {
    from: { connection: 'floor', path: 'plant/{device}/alarm' },
    when: 'payload.severity >= 3',
    to: [
      { connection: 'office', desk: 'ops', text: '⚠ ${device}: ${payload.text}' },
      {
        connection: 'office',
        board: 'alarms',
        label: 'plant.${device}',
        payload: { device: '${device}', severity: '${payload.severity}', source: 'floor' },
      },
    ],
  },
};

const alarm = (severity: number) =>
  event({ address: { scheme: 'path', segments: ['plant', 'pump-7', 'alarm'] }, json: { severity, text: 'hot' } });

describe('a set of routes', () => {
  const { routes, problems } = compile(alarms);

  it('compiles without a problem', () => {
    expect(problems).toEqual([]);
    expect(routes.targets.map(({ consumer }) => consumer)).toEqual([
      'alarms-to-ops/office/desk:ops',
      'alarms-to-ops/office/board:alarms/plant.${device}',
    ]);
  });

  it('renders every target of a matching event', () => {
    const matches = routes.match(alarm(4));
    const rendered = matches.map(({ target }) => target.render(alarm(4)));
    expect(rendered.map(({ target }) => target.address)).toEqual([
      { scheme: 'desk', segments: ['ops'] },
      { scheme: 'board', segments: ['alarms', 'plant', 'pump-7'] },
    ]);
    expect(rendered.map(({ parts }) => Buffer.from(parts.body).toString())).toEqual([
      '⚠ pump-7: hot',
      '{"device":"pump-7","severity":4,"source":"floor"}',
    ]);
    expect(rendered[1]?.target.options).toEqual({ board: 'alarms', label: 'plant.pump-7', copies: 1 });
  });

  it('passes over an event whose condition is false', () => {
    expect(routes.match(alarm(2))).toEqual([]);
  });

  it('passes over an event of another connection or place', () => {
    expect(routes.match({ ...alarm(4), source: 'yard' })).toEqual([]);
    expect(routes.match({ ...alarm(4), address: { scheme: 'path', segments: ['plant', 'alarm'] } })).toEqual([]);
  });

  it('lists what a connection must receive once, with its own subscriptions', () => {
    expect(routes.sources('floor').map(({ pattern }) => pattern.segments)).toEqual([
      [{ type: 'literal', value: 'plant' }, { type: 'one' }, { type: 'literal', value: 'alarm' }],
      [{ type: 'literal', value: 'audit' }, { type: 'many' }],
    ]);
    expect(routes.sources('office')).toEqual([]);
  });
});

describe('the direct route', () => {
  const { routes } = compile({});

  it('parses a target and delivers an event to it', () => {
    const { connection, target } = routes.direct({ connection: 'office', board: 'b', label: 'x.y', copies: 3 });
    expect(connection).toBe('office');
    const sent = event({ source: DIRECT, address: target.address, origin: { connection, options: target.options } });
    const [match] = routes.match(sent);
    expect(match?.target.consumer).toBe('$direct/office');
    const rendered = match?.target.render(sent);
    expect(rendered?.target).toEqual({
      address: { scheme: 'board', segments: ['b', 'x', 'y'] },
      options: { board: 'b', label: 'x.y', copies: 3 },
    });
    expect(rendered?.parts).not.toHaveProperty('origin');
    expect(rendered?.parts.via).toEqual(['gw']);
  });

  it.each([
    [{ connection: 'ofice', desk: 'x' }, 'did you mean "office"?'],
    [{ connection: 'office', desc: 'x' }, 'did you mean "desk"?'],
    [{ connection: 'office' }, 'expected "desk" or "board"'],
    [{ connection: 'mute', path: 'x' }, 'cannot send'],
    [{ connection: 'floor', path: 'a/+' }, 'the wildcard "+"'],
  ])('refuses %j with a sentence', (to, message) => {
    expect(() => routes.direct(to)).toThrow(message);
  });

  it('rejects an event for a connection that is gone', () => {
    const [match] = routes.match(event({ source: DIRECT, origin: { connection: 'old' } }));
    expect(match?.target.consumer).toBe('$direct/old');
    expect(match?.error?.message).toContain('no connection "old"');
  });

  it('has a target for every connection that sends', () => {
    expect(routes.target('$direct/floor')).toBeDefined();
    expect(routes.target('$direct/mute')).toBeUndefined();
  });
});

describe('a body', () => {
  it('passes unchanged when the target does not map it', () => {
    expect(bodyFor(route({ to: toOffice() }), event({ content: 'as it is' }))).toBe('as it is');
  });
});
