import type { App } from './app.ts';
import { expects, type Hops, quoted } from './hops.ts';
import type { Office, Person, Pump } from './players.ts';

/** Everyone who takes part. */
export interface Cast {
  readonly pump: Pump;
  readonly person: Person;
  readonly office: Office;
  readonly app: App;
  /** Events the watching app must see. */
  readonly watched: readonly string[];
}

/** Plays the scenario once, hop by hop. Throws `HopFailed` at the first hop that does not happen. */
export async function play(cast: Cast, hops: Hops): Promise<void> {
  await appears(cast, hops);
  await alarm(cast, hops);
  await command(cast, hops);
  await notice(cast, hops);
  await leaves(cast, hops);
  await watched(cast, hops);
}

async function appears({ pump, person: { contact } }: Cast, hops: Hops): Promise<void> {
  if (!contact) return;
  hops.act('A pump is a contact');
  await hops.does('pump-7', 'publishes plant/pump-7/online (MQTT)', () => pump.online(true, 'running'));
  await hops.does('alice', 'adds pump-7@devices.localhost to her list (XMPP)', () => contact.add());
  await hops.sees('alice', 'sees it there, “running”', contact.next('running'), expects('available running'));
}

async function leaves({ pump, person: { contact } }: Cast, hops: Hops): Promise<void> {
  if (!contact) return;
  hops.act('The pump goes away');
  await hops.does('pump-7', 'publishes plant/pump-7/online {"online":false} (MQTT)', () =>
    pump.online(false, 'serviced'),
  );
  await hops.sees(
    'alice',
    'sees that it is gone, “serviced”',
    contact.next('serviced'),
    expects('unavailable serviced'),
  );
}

async function alarm({ pump, person, office }: Cast, hops: Hops): Promise<void> {
  hops.act('A pump raises an alarm');
  const text = '⚠ pump-7: bearing hot';
  await hops.does('pump-7', 'publishes plant/pump-7/alarm (MQTT)', () => pump.raiseAlarm(4, 'bearing hot'));
  await hops.sees('the room', `reads ${quoted(text)} (XMPP)`, person.hear(), expects(text));
  await hops.sees('back office', 'takes plant.pump-7 off its queue (AMQP)', office.receive(), ({ key, body }) =>
    expects('plant.pump-7 {"device":"pump-7","severity":4,"source":"floor"}')(`${key} ${body}`),
  );
}

async function command({ pump, person }: Cast, hops: Hops): Promise<void> {
  hops.act('A person answers');
  await hops.does('alice', 'writes “!pump-7 off” in the room (XMPP)', () => person.say('!pump-7 off'));
  await hops.sees('pump-7', 'gets plant/pump-7/set {"state":"off"} (MQTT)', pump.command(), (seen) =>
    expects('{"state":"off"}')(JSON.stringify(seen)),
  );
  await hops.does('pump-7', 'reports plant/pump-7/state (MQTT)', () => pump.report('off'));
  await hops.sees('the room', 'reads “pump-7 is now off” (XMPP)', person.hear(), expects('pump-7 is now off'));
}

async function notice({ pump, person, office, app }: Cast, hops: Hops): Promise<void> {
  hops.act('An app publishes');
  const text = 'Shift change at 18:00';
  await hops.does('app', 'POST /v1/messages to notices/hall-2 (REST), 202 after the fsync', () =>
    app.publish('notices/hall-2', text),
  );
  await hops.sees('the room', `reads ${quoted(text)} (XMPP)`, person.hear(), expects(`📣 hall-2: ${text}`));
  await hops.sees('display', `shows ${quoted(text)} (MQTT)`, pump.display(), expects(text));
  await hops.sees('back office', 'takes notices.hall-2 off its queue (AMQP)', office.receive(), ({ key, body }) =>
    expects(`notices.hall-2 ${text}`)(`${key} ${body}`),
  );
}

async function watched({ app, watched: expected }: Cast, hops: Hops): Promise<void> {
  hops.act('Another app has watched it all');
  const what = `saw ${expected.length} events on its WebSocket`;
  await hops.sees('watcher', what, app.seen(expected.length), (seen) => expects(expected.join(', '))(seen.join(', ')));
}
