import assert from 'node:assert/strict';
import { mqttAdapter } from '@magpie/adapter-mqtt';
import type { AddressPattern, AddressScheme, Event } from '@magpie/contract';
import type { Match, Rendered } from '@magpie/routing';
import type { Problem } from '@magpie/schema-messages';
import { capture, compilePattern } from '../../../../packages/routing/src/address/pattern.ts';
import { createMatcher, type Matcher } from '../../../../packages/routing/src/matcher.ts';
import { createReport } from '../../../../packages/routing/src/report.ts';
import { type Case, type Group, type Subject, simple } from '../case.ts';
import { routeSet } from '../routing.ts';
import { jsonBody, storedEvent } from '../samples.ts';
import { TOPICS, type Topics } from './topics.ts';

const COUNTS = [1, 100, 1000, 10_000, 100_000];
/** Compiling more whole routes takes longer than all the other measurements. */
const MOST_ROUTES = 10_000;
/** Different topics that are looked up in turn, so that the processor's caches are not full of one. */
const VARIETY = 4096;

interface Entry {
  readonly index: number;
  readonly pattern: AddressPattern;
}

const topicScheme: AddressScheme = mqttAdapter.addresses[0]!;

function patternOf(topic: string): AddressPattern {
  const problems: Problem[] = [];
  const pattern = compilePattern({ scheme: topicScheme, words: { topic } }, createReport(problems));
  if (!pattern) throw new Error(`${topic}: ${problems[0]?.message}`);
  return pattern;
}

function matcherOf(topics: Topics, count: number): Matcher<Entry> {
  const entries = Array.from({ length: count }, (_, index) => ({ index, pattern: patternOf(topics.pattern(index)) }));
  return createMatcher(entries.map((entry) => ({ connection: 'floor', pattern: entry.pattern, value: entry })));
}

/** The routes whose topics are looked up, spread over all. */
const indexes = (count: number): readonly number[] =>
  Array.from({ length: Math.min(count, VARIETY) }, (_, turn) => Math.floor((turn * count) / Math.min(count, VARIETY)));

const wantedOf = (topics: Topics, count: number): readonly number[] => (topics === TOPICS.hot ? [0] : indexes(count));

const place = (topic: string) => ({ address: { scheme: 'topic', segments: topic.split('/') } });

/** Finds the route of an event among `count`, without looking at anything but the address. */
function lookup(topics: Topics, count: number): Subject<readonly Entry[]> {
  const matcher = matcherOf(topics, count);
  const wanted = wantedOf(topics, count);
  const events = wanted.map((index) => ({ source: 'floor', ...place(topics.topic(index)) }));
  return {
    run: (call) => matcher.find(events[call % events.length]!),
    check: (found, call) => {
      const expected = topics.matches ? [wanted[call % wanted.length]] : [];
      assert.deepEqual(
        found.map(({ index }) => index),
        expected,
      );
    },
  };
}

/** The same, and takes what the pattern captures. */
function lookupCaptures(count: number): Subject<Record<string, unknown>> {
  const topics = TOPICS.captures;
  const matcher = matcherOf(topics, count);
  const wanted = indexes(count);
  const events = wanted.map((index) => ({ source: 'floor', ...place(topics.topic(index)) }));
  return {
    run: (call) => {
      const event = events[call % events.length]!;
      const captured: Record<string, unknown> = {};
      for (const { index, pattern } of matcher.find(event)) {
        captured.index = index;
        capture(pattern, event.address, captured);
      }
      return captured;
    },
    check: (captured, call) => {
      const index = wanted[call % wanted.length]!;
      assert.deepEqual(captured, { index, area: `area-${index % 100}`, what: 'alarm' });
    },
  };
}

function compiled(topics: Topics, count: number, to: object) {
  const route = (index: number) => ({ from: { connection: 'floor', topic: topics.pattern(index) }, to });
  return routeSet(Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}`, route(index)])));
}

const eventsOf = (topics: Topics, wanted: readonly number[]): readonly Event[] => {
  const body = jsonBody(256);
  return wanted.map((index) => storedEvent(body, place(topics.topic(index))));
};

/** What the router does per event: the deliveries it gives rise to. */
function wholeRoute(topics: Topics, count: number): Subject<readonly Match[]> {
  const routes = compiled(topics, count, { connection: 'erp', queue: 'inbox' });
  const wanted = wantedOf(topics, count);
  const events = eventsOf(topics, wanted);
  return {
    run: (call) => routes.match(events[call % events.length]!),
    check: (matches, call) => {
      const expected = [`r${wanted[call % wanted.length]}`];
      assert.deepEqual(
        matches.map(({ target, error }) => error ?? target.route),
        expected,
      );
    },
  };
}

/** The same with an address made from captures, rendered. */
function wholeCaptures(count: number): Subject<readonly Rendered[]> {
  const topics = TOPICS.captures;
  const routes = compiled(topics, count, { connection: 'erp', exchange: 'alarms', routingKey: '${area}.${what}' });
  const wanted = indexes(count);
  const events = eventsOf(topics, wanted);
  return {
    run: (call) => {
      const event = events[call % events.length]!;
      return routes.match(event).map(({ target }) => target.render(event));
    },
    check: (rendered, call) => {
      const segments = ['alarms', `area-${wanted[call % wanted.length]! % 100}`, 'alarm'];
      assert.deepEqual(
        rendered.map(({ target }) => target.address),
        [{ scheme: 'exchange', segments }],
      );
    },
  };
}

const routesText = (count: number): string => `${count.toLocaleString('en-US')} ${count === 1 ? 'route' : 'routes'}`;

function cases<Result>(line: string, counts: readonly number[], make: (count: number) => Subject<Result>): Case[] {
  return counts.map((count) => ({
    ...simple(`${line}: ${routesText(count)}`, () => make(count)),
    point: { line, at: count },
  }));
}

const plain = [TOPICS.exact, TOPICS.hot, TOPICS.one, TOPICS.many, TOPICS.none, TOPICS.worst];
const whole = COUNTS.filter((count) => count <= MOST_ROUTES);

/** From an address to the routes that take it. */
export const matching: Group = {
  name: 'matching',
  title: 'Matching by number of routes',
  note:
    'Looking up the address of an event among routes whose patterns all differ. Up to 4,096 topics take turns, so that with many ' +
    'routes what is looked at comes from main memory; "always one" shows the lookup without that. ' +
    'In the row "+ anywhere" half of the levels before the last are wildcards, in every mix, and the last level of ' +
    'the topic fits none. "Whole route" is everything that the router does for an event: lookup, loop guard and ' +
    'conditions, the deliveries; the other one also renders an address made from captures.',
  operation: 'event',
  cases: [
    ...plain.flatMap((topics) => cases(topics.name, COUNTS, (count) => lookup(topics, count))),
    ...cases(TOPICS.captures.name, COUNTS, lookupCaptures),
    ...[TOPICS.exact, TOPICS.hot].flatMap((topics) =>
      cases(`whole route, ${topics.name}`, whole, (count) => wholeRoute(topics, count)),
    ),
    // Rendering is none of what the chart is about.
    ...cases('whole route, address from {captures}', whole, wholeCaptures).map(({ point: _, ...each }) => each),
  ],
};
