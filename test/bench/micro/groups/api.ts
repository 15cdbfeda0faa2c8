import assert from 'node:assert/strict';
import { createMetrics, METRICS } from '@magpie/telemetry';
import { Histogram, Registry } from 'prom-client';
import { isPlainMessage } from '../../../../packages/api/src/resources/messages/fast-check.ts';
import { messageSchema } from '../../../../packages/api/src/resources/messages/schema.ts';
import { type Group, type Subject, simple } from '../case.ts';
import { jsonBody } from '../samples.ts';

/** A message as a request brings it, with the fields that apps usually set. */
const message = () => ({
  topic: 'plant/pump-7/alarm',
  payload: JSON.parse(jsonBody(256).toString()),
  type: 'org.example.alarm',
  key: 'pump-7',
  headers: { site: 'north', line: 4 },
  priority: 4,
});

const checking = (isTaken: (data: unknown) => boolean): Subject<boolean> => {
  const data = message();
  return { run: () => isTaken(data), check: (taken) => assert.equal(taken, true) };
};

/** Values over all buckets. */
const VALUES = [0.0005, 0.002, 0.03, 0.7, 40] as const;
const LABELS = { connection: 'floor' };
const { name, help, buckets, labels } = METRICS.deliverySeconds;
const COUNTED = new RegExp(`^${name}_count\\{connection="floor"\\} (\\d+)$`, 'm');

/** `text` tells how many values have been counted. */
function counting(observe: (value: number) => void, text: () => Promise<string>): Subject<number> {
  let made = 0;
  return {
    run: (call) => {
      observe(VALUES[call % VALUES.length]!);
      return ++made;
    },
    check: (count) => assert.ok(count > 0),
    close: async () => assert.equal(Number(COUNTED.exec(await text())?.[1]), made),
  };
}

const ownHistogram = (): Subject<number> => {
  const metrics = createMetrics();
  const series = metrics.deliverySeconds.series(LABELS);
  return counting((value) => series.observe(value), metrics.expose);
};

const libraryHistogram = (): Subject<number> => {
  const registry = new Registry();
  const options = { name, help, buckets: [...buckets], labelNames: [...labels], registers: [registry] };
  const series = new Histogram(options).labels(LABELS);
  return counting(
    (value) => series.observe(value),
    () => registry.metrics(),
  );
};

/** What is done by hand around every message of the API and every delivery, beside the library that could do it. */
export const api: Group = {
  name: 'api',
  title: 'The API and metrics',
  note: 'What is done by hand for every message of the API and for every delivery, beside the library that could do it (ADR 0015 and 0016).',
  operation: 'call',
  cases: [
    simple('check a message: fast check', () => checking(isPlainMessage)),
    simple('to compare: check a message, zod schema', () => checking((data) => messageSchema.safeParse(data).success)),
    simple('observe a value: own histogram', ownHistogram),
    simple('to compare: observe a value, prom-client', libraryHistogram),
  ],
};
