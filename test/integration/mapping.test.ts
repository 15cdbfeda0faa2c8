import { readFileSync } from 'node:fs';
import { MAPPING as AMQP } from '@magpie/adapter-amqp';
import { MAPPING as MQTT } from '@magpie/adapter-mqtt';
import { MAPPING as XMPP } from '@magpie/adapter-xmpp';
import { describe, expect, it } from 'vitest';
import { CASES } from '../support/cases.ts';
import { NATIVE_CASES } from '../support/native-cases.ts';
import { LEARNS, SAYS } from '../support/survives.ts';

/** A row of a protocol's documentation: the fields it is about, and whether they travel at all. */
interface Row {
  readonly fields: readonly string[];
  readonly travels: boolean;
}

const row = (fields: string, cell: string): Row => ({ fields: fields.split(', '), travels: cell !== '' });

const TABLES = {
  MQTT: { rows: MQTT.map(({ field, mqtt5 }) => row(field, mqtt5)), ends: [SAYS.MQTT, LEARNS.MQTT] },
  AMQP: { rows: AMQP.map(({ field, amqp }) => row(field, amqp)), ends: [SAYS.AMQP, LEARNS.AMQP] },
  XMPP: {
    rows: XMPP.map(({ field, xmpp }) => row(field, xmpp)),
    ends: [SAYS['XMPP chat'], LEARNS['XMPP chat'], SAYS['XMPP room'], LEARNS['XMPP room']],
  },
} as const;

/** What tests outside the matrix prove, by the file and a part of the title. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, title: string]>> = {
  address: ['test/integration/matrix.test.ts', 'shows where it came from in the words of its protocol'],
  'XMPP origin.replay': ['packages/adapter-xmpp/test/receive/to-event.test.ts', 'is a replay of that time'],
  'XMPP origin.delayed': ['test/integration/chat/offline-chat.test.ts', 'while the gateway is down'],
  'XMPP origin.late': ['test/integration/chat/catch-up.test.ts', 'runs no command unless the route says so'],
  'XMPP origin.item': ['packages/adapter-xmpp/test/codec/items.test.ts', 'names the node, the item and who'],
  'XMPP kind presence': ['test/integration/chat/presence.test.ts', 'hears who is in a room, comes and goes'],
  'XMPP type available or unavailable': ['test/integration/chat/presence.test.ts', 'finds out who has left'],
  'XMPP kind reaction': [
    'packages/adapter-xmpp/test/codec/reactions.test.ts',
    'is an event of its own kind, about the delivery where it is about a message of ours',
  ],
  'XMPP redelivered': ['test/integration/chat/offline-chat.test.ts', 'while the gateway is down'],
};

describe.each(Object.entries(TABLES))('the mapping table of %s', (protocol, { rows, ends }) => {
  const known = CASES.flatMap(({ proves }) => proves).filter((field) => ends.some(({ fields }) => fields.has(field)));
  const native = NATIVE_CASES.filter((each) => each.protocol === protocol).flatMap(({ proves }) => proves);
  const elsewhere = Object.keys(ELSEWHERE).map((key) => key.replace(`${protocol} `, ''));
  const proven = new Set<string>([...known, ...native, ...elsewhere]);

  it('claims nothing that no test sends over the wire', () => {
    const claimed = rows.filter(({ travels }) => travels).flatMap(({ fields }) => fields);
    expect(claimed.filter((field) => !proven.has(field))).toEqual([]);
  });

  it('leaves out nothing that travels', () => {
    const claimed = new Set(rows.filter(({ travels }) => travels).flatMap(({ fields }) => fields));
    const travels = new Set(ends.flatMap(({ fields }) => [...fields]));
    expect([...travels].filter((field) => !claimed.has(field))).toEqual([]);
  });
});

it.each(Object.entries(ELSEWHERE))('%s is proven where it says', (_, [file, title]) => {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  expect(text.includes(title), `a test named "${title}" in ${file}`).toBe(true);
});
