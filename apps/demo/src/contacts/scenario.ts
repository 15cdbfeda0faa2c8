import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expects, type Hops, quoted } from '../hops.ts';
import type { ContactClient } from './contact-client.ts';
import type { Device } from './device.ts';

/** Everyone who takes part. */
export interface Cast {
  readonly pump: Device;
  readonly nadia: ContactClient;
}

const PUMP = 'pump-7@devices.localhost';
const CLIENT = `${PUMP}/magpie`;
const PICTURE = readFileSync(
  fileURLToPath(new URL('../../../gateway/examples/devices-as-contacts/pump.png', import.meta.url)),
);

/** Plays the example once, hop by hop. Throws `HopFailed` at the first hop that does not happen. */
export async function playContacts(cast: Cast, hops: Hops): Promise<void> {
  await contact(cast, hops);
  await chat(cast, hops);
  await command(cast, hops);
  await picture(cast, hops);
  await farewell(cast, hops);
}

async function contact({ pump, nadia }: Cast, hops: Hops): Promise<void> {
  hops.act('A device is a contact');
  await hops.does('pump-7', 'publishes plant/pump-7/status {"online":true} (MQTT)', () => pump.status(true, 'filling'));
  await hops.sees('nadia', 'finds “Pump 7”, with its picture (XMPP)', foundCard(nadia), ({ name, photo }) =>
    photo?.equals(PICTURE) === true ? expects('Pump 7')(name) : 'expected the picture of the example on its card',
  );
  await hops.does('nadia', `adds ${PUMP} to her list`, () => nadia.add(PUMP));
  await hops.sees('nadia', 'sees it there, “filling”', nadia.presence(), ({ from, type, status }) =>
    expects(`${CLIENT} available filling`)(`${from} ${type} ${status}`),
  );
  await hops.sees('pump-7', 'learns that nadia is there: people/nadia (MQTT)', pump.wish(), ({ topic }) =>
    expects('people/nadia')(topic),
  );
}

async function foundCard(nadia: ContactClient): Promise<{ readonly name: string; readonly photo: Buffer | undefined }> {
  for (;;) {
    const card = await nadia.card(PUMP);
    if (card) return card;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function chat({ pump, nadia }: Cast, hops: Hops): Promise<void> {
  hops.act('Somebody writes to it');
  await hops.does('nadia', 'writes “set 42” to Pump 7', () => nadia.say(PUMP, 'set 42'));
  await hops.sees('pump-7', 'gets plant/pump-7/set (MQTT)', wishAt(pump, 'plant/pump-7/set'), ({ text }) =>
    expects('42')(String(JSON.parse(text).level)),
  );
  await hops.does('pump-7', 'publishes plant/pump-7/say/nadia (MQTT)', () => pump.publish('say/nadia', 'at 42 now'));
  await hops.sees('nadia', `reads ${quoted('at 42 now')} from it`, nadia.hear(), ({ from, text }) =>
    expects(`${PUMP} at 42 now`)(`${from} ${text}`),
  );
}

/** The next wish at a topic; presences of people come in between. */
async function wishAt(pump: Device, topic: string): ReturnType<Device['wish']> {
  for (;;) {
    const wish = await pump.wish();
    if (wish.topic === topic) return wish;
  }
}

async function command({ pump, nadia }: Cast, hops: Hops): Promise<void> {
  hops.act('It has a command with a form');
  await hops.sees('nadia', 'finds “Set the level” among its commands', nadia.commands(CLIENT), (titles) =>
    expects('Set the level')(titles.join()),
  );
  const form = await hops.sees('nadia', 'gets a form', nadia.step(CLIENT, 'set-level'), ({ fields }) =>
    expects('Level, Mode, Tell me when it is done')(fields.join(', ')),
  );
  const wrong = nadia.step(CLIENT, 'set-level', { level: '500' }, form.session);
  const no = 'Level: expected a number of at most 100, got 500';
  await hops.sees('nadia', `fills in 500, and reads ${quoted(no)}`, wrong, ({ note }) => expects(no)(note));
  const done = nadia.step(CLIENT, 'set-level', { level: '42' }, form.session);
  done.catch(() => undefined); // reported by the hop that waits for it
  const wish = await hops.sees(
    'pump-7',
    'gets plant/pump-7/level, with a reply topic (MQTT)',
    wishAt(pump, 'plant/pump-7/level'),
    ({ text }) => expects('{"level":42,"mode":"auto","tell":false}')(text),
  );
  await hops.does('pump-7', 'replies {"level":42,"state":"running"}', () =>
    wish.answer('{"level":42,"state":"running"}'),
  );
  await hops.sees('nadia', 'reads “level: 42, state: running”', done, ({ status, fields }) =>
    expects('completed level: 42, state: running')(`${status} ${fields.join(', ')}`),
  );
}

async function picture({ pump, nadia }: Cast, hops: Hops): Promise<void> {
  hops.act('It shows something');
  await hops.does('pump-7', 'publishes a picture: plant/pump-7/show/nadia (MQTT)', () =>
    pump.publish('show/nadia', PICTURE, 'image/png'),
  );
  const { url = '' } = await hops.sees(
    'nadia',
    'gets a link that her client shows as a picture',
    nadia.hear(),
    (seen) => (seen.url === seen.text ? undefined : `expected a link to a file, got "${seen.text}"`),
  );
  const got = fetch(url).then(async (answer) => Buffer.from(await answer.arrayBuffer()));
  await hops.sees('nadia', 'opens it: the same bytes', got, (bytes) =>
    bytes.equals(PICTURE) ? undefined : `expected the picture, got ${bytes.byteLength} other bytes`,
  );
}

async function farewell({ pump, nadia }: Cast, hops: Hops): Promise<void> {
  hops.act('It goes away');
  await hops.does('pump-7', 'loses its power: the broker publishes its last will', () => pump.vanish());
  await hops.sees('nadia', 'sees that it is gone, “no contact”', goneFrom(nadia), ({ type, status }) =>
    expects('unavailable no contact')(`${type} ${status}`),
  );
}

/** A server may have told before, more than once, that the pump is there. */
async function goneFrom(nadia: ContactClient): ReturnType<ContactClient['presence']> {
  for (;;) {
    const seen = await nadia.presence();
    if (seen.type !== 'available') return seen;
  }
}
