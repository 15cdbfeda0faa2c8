import type { Random } from '../settings.ts';
import { httpPoison, PLACES, type PoisonEnds, type PoisonSender } from './ends.ts';
import {
  largeBodies,
  lateMessage,
  PALATABLE,
  type Poison,
  strangeBodies,
  strangeHeaders,
  strangeKeys,
  strangeNames,
  strangePayloads,
  strangeTopics,
} from './poison.ts';

/** A way through the gateway for poison: one target, so that every message has one end. */
export interface PoisonLine {
  readonly name: string;
  /** Who sends, and where to. */
  readonly by: 'mqtt' | 'amqp' | 'room' | 'http';
  readonly place: string;
  readonly route: object;
  /** Largest body that fits through, in bytes. */
  readonly fits: number;
  /** Whether a body must arrive as it was sent. */
  readonly same: boolean;
  poisons(random: Random): readonly Poison[];
}

const TO = {
  mqtt: { connection: 'floor', topic: `${PLACES.topicOut}/as-it-is` },
  amqp: { connection: 'erp', queue: PLACES.queueOut },
  // As a stanza: what goes as a file arrives as a link to it.
  room: { connection: 'chat', room: PLACES.roomOut, upload: 'never' },
} as const;

/** What is left of a stanza of 256 KiB for a body in base64, and what fits everywhere else. */
const FITS = { room: 180 * 1024, elsewhere: Number.POSITIVE_INFINITY } as const;

const carry = (by: PoisonLine['by'], to: keyof typeof TO): PoisonLine => {
  const large = by === 'room' ? () => [] : largeBodies;
  const topic = `${PLACES.topicIn}/${to}`;
  const from = {
    mqtt: { connection: 'floor', topic: `${topic}/#` },
    http: { connection: 'http', topic },
    amqp: { connection: 'erp', queue: to === 'mqtt' ? PLACES.queuesIn.mqtt : PLACES.queuesIn.room },
    room: { connection: 'chat', room: PLACES.roomIn },
  }[by];
  return {
    ...{ name: `${by} → ${to}`, by, route: { from, to: TO[to] }, same: true },
    place: 'topic' in from ? topic : 'queue' in from ? from.queue : from.room,
    fits: to === 'room' ? FITS.room : FITS.elsewhere,
    poisons: (random) => [
      ...strangeBodies(random),
      ...large(random),
      ...(by === 'mqtt' ? strangeTopics() : []),
      ...(by === 'amqp' && to === 'mqtt' ? strangeKeys() : []),
      ...(by === 'http' ? Array.from({ length: 5 }, lateMessage) : []),
      ...strangeHeaders(random, { binary: by === 'amqp' || by === 'http', nested: by !== 'mqtt' }),
    ],
  };
};

/** Each strange message, and after each one that is as it should be. */
const mixed = (strange: (random: Random) => readonly Poison[], good: Poison['ends']) => (random: Random) =>
  strange(random).flatMap((poison): readonly Poison[] => [
    poison,
    { what: 'a good one', body: Buffer.from(JSON.stringify(PALATABLE)), contentType: 'application/json', ends: good },
  ]);

const express = (name: string, by: 'mqtt' | 'http', route: object, more: Partial<PoisonLine> = {}): PoisonLine => {
  const topic = `${PLACES.topicIn}/${name.replaceAll(' ', '-')}`;
  return {
    ...{ name, by, place: topic, same: false, fits: FITS.elsewhere, poisons: mixed(strangePayloads, 'arrives') },
    ...more,
    route: { from: { connection: by === 'http' ? 'http' : 'floor', topic }, ...route },
  };
};

const named = mixed(strangeNames, 'arrives');

/** Every way that poison can take. */
export const POISON_LINES: readonly PoisonLine[] = [
  ...[carry('mqtt', 'amqp'), carry('mqtt', 'room'), carry('amqp', 'mqtt'), carry('amqp', 'room')],
  ...[carry('http', 'mqtt'), carry('http', 'amqp'), carry('http', 'room'), carry('room', 'amqp')],
  express('a condition', 'http', { when: 'payload.severity >= 0.0 && payload.list[0].size() > 0', to: TO.amqp }),
  express('a template', 'mqtt', {
    to: { ...TO.amqp, payload: { name: '${payload.name}', twice: '${payload.severity * 2}', text: '${payload.text}' } },
  }),
  express('a text', 'http', { to: { ...TO.room, text: '${payload.name}: ${payload.text}' } }, { fits: FITS.room }),
  express('a topic', 'http', { to: { ...TO.mqtt, topic: `${PLACES.topicOut}/\${payload.name}` } }, { poisons: named }),
  express(
    'a routing key',
    'http',
    { to: { connection: 'erp', exchange: 'amq.topic', routingKey: 'poison.${payload.name}' } },
    { poisons: named },
  ),
  express(
    'a recipient',
    'http',
    { to: { connection: 'chat', jid: '${payload.name}@localhost' } },
    { poisons: mixed(strangeNames, 'given up') }, // no account has such a name: the server sends it back
  ),
];

/** The routes of all lines, by name. */
export const POISON_ROUTES: Readonly<Record<string, object>> = Object.fromEntries(
  POISON_LINES.map(({ route }, index) => [`poison-${index}`, route]),
);

/** The sender of each line. */
export const poisonSenders = (
  ends: PoisonEnds,
  url: () => string,
): Readonly<Record<PoisonLine['by'], PoisonSender>> => ({
  ...{ mqtt: ends.mqtt, amqp: ends.amqp, room: ends.room },
  http: httpPoison(url),
});
