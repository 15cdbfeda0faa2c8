import assert from 'node:assert/strict';
import type { Event } from '@magpie/contract';
import type { Match, Rendered, Target } from '@magpie/routing';
import { type Case, type Group, type Subject, simple } from '../case.ts';
import { routeSet } from '../routing.ts';
import { jsonBody, SIZES, sizeText, storedEvent } from '../samples.ts';

const FROM = { connection: 'floor', topic: 'plant/{device}/alarm' };
const QUEUE = { connection: 'erp', queue: 'inbox' };
const MAPPED = {
  ...QUEUE,
  payload: { device: '${device}', level: '${payload.severity * 10}', text: '${payload.text}', source: 'floor' },
};
const WHOLE = { ...QUEUE, payload: { device: '${device}', data: '${payload}' } };
const TEXT = { ...QUEUE, text: '⚠ ${device}: ${payload.text}' };
const WHEN = 'payload.severity >= 3 && payload.text.contains("hot")';

const RESULT = { device: 'pump-7', level: 40, text: 'bearing is hot', source: 'floor' };

/** An event that no expression has looked at: its JSON is parsed anew. */
const fresh = (event: Event): Event => ({ ...event });
const same = (event: Event): Event => event;

/** Whether the JSON of the body is parsed by each call. */
type Choose = typeof fresh;

function predicate(size: number, when: string, choose: Choose, holds: boolean): Subject<readonly Match[]> {
  const routes = routeSet({ r: { from: FROM, when, to: QUEUE } });
  const event = storedEvent(jsonBody(size));
  return {
    run: () => routes.match(choose(event)),
    check: (matches) => {
      assert.deepEqual(
        matches.map(({ target, error }) => error ?? target.route),
        holds ? ['r'] : [],
      );
    },
  };
}

const targetOf = (to: object): Target => {
  const [target] = routeSet({ r: { from: FROM, to } }).targets;
  if (!target) throw new Error('the route has no target');
  return target;
};

function mapping(size: number, to: object, choose: Choose, expected: string | Buffer): Subject<Rendered> {
  const target = targetOf(to);
  const event = storedEvent(jsonBody(size));
  return {
    run: () => target.render(choose(event)),
    check: ({ parts }) => assert.equal(Buffer.from(parts.body).toString(), expected.toString()),
  };
}

/** Everything of one event whose route has a condition and a mapping. */
function both(size: number): Subject<readonly Rendered[]> {
  const routes = routeSet({ r: { from: FROM, when: WHEN, to: MAPPED } });
  const event = storedEvent(jsonBody(size));
  return {
    run: () => {
      const received = fresh(event);
      return routes.match(received).map(({ target }) => target.render(received));
    },
    check: (rendered) => {
      assert.deepEqual(
        rendered.map(({ parts }) => JSON.parse(Buffer.from(parts.body).toString())),
        [RESULT],
      );
    },
  };
}

function casesOf(size: number): readonly Case[] {
  const name = (text: string): string => `${text}, ${sizeText(size)}`;
  const body = jsonBody(size);
  const whole = JSON.stringify({ device: 'pump-7', data: JSON.parse(body.toString()) });
  const mapped = JSON.stringify(RESULT);
  return [
    simple(name('condition, JSON parsed anew'), () => predicate(size, WHEN, fresh, true)),
    simple(name('condition, JSON parsed before'), () => predicate(size, WHEN, same, true)),
    simple(name('condition that does not hold, JSON parsed before'), () =>
      predicate(size, 'payload.severity > 8', same, false),
    ),
    simple(name('condition on a capture'), () => predicate(size, 'device == "pump-7"', fresh, true)),
    simple(name('condition on a field of the event'), () =>
      predicate(size, 'event.type == "org.example.alarm"', fresh, true),
    ),
    simple(name('payload of 4 fields, JSON parsed anew'), () => mapping(size, MAPPED, fresh, mapped)),
    simple(name('payload of 4 fields, JSON parsed before'), () => mapping(size, MAPPED, same, mapped)),
    simple(name('payload that holds the whole of the other, JSON parsed anew'), () =>
      mapping(size, WHOLE, fresh, whole),
    ),
    simple(name('text of two values, JSON parsed anew'), () => mapping(size, TEXT, fresh, '⚠ pump-7: bearing is hot')),
    simple(name('body passed unchanged'), () => mapping(size, QUEUE, fresh, body)),
    simple(name('condition and payload of 4 fields of one event'), () => both(size)),
  ];
}

/** Expressions of routes. */
export const cel: Group = {
  name: 'cel',
  title: 'Conditions and mappings (CEL)',
  note:
    `The condition is \`${WHEN}\` unless the row says otherwise; with it goes a lookup among one route. JSON is parsed once per ` +
    'event, however many expressions look at it: "anew" is what the first one costs, "before" each other.',
  operation: 'event',
  cases: SIZES.flatMap(casesOf),
};
