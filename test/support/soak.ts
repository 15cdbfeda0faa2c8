import { setTimeout as sleep } from 'node:timers/promises';
import { createAccount, startEjabberd, startProsody, type XmppServer } from '@magpie/brokers';
import { type People, type Person, type TcpProxy, tcpProxy, unique, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import mqtt, { type MqttClient } from 'mqtt';
import { type GatewayHome, type GatewayProcess, gatewayHome } from './gateway-process.ts';

const SERVERS = { prosody: startProsody, ejabberd: startEjabberd };

/** How messages go: from a person to the gateway's address, from a person into a room, from a device into the room. */
export const WAYS = ['chat', 'room', 'floor'] as const;
export type Way = (typeof WAYS)[number];

/** What a target got: the number said, the event of the log that brought it, and whether it is marked as possibly sent before. */
export interface Got {
  readonly text: string;
  readonly event: string;
  readonly isMarked: boolean;
}

/** What came of the messages of one way. */
export interface Outcome {
  readonly said: number;
  readonly lost: readonly string[];
  /** Events beyond the first that say the same: a message that was taken in twice. */
  readonly takenInTwice: number;
  /** Deliveries beyond the first of the same event. */
  readonly repeated: number;
  /** Of those, the ones without a mark. */
  readonly unmarked: number;
}

/** Where brokers of the targets are. */
interface Brokers {
  readonly mosquitto: string;
  readonly rabbitmq: string;
}

/** A gateway between an XMPP server, MQTT and AMQP, a person who says numbered messages, and everything that can break. */
export class Soak {
  readonly #server: XmppServer;
  readonly #proxy: TcpProxy;
  readonly #nadia: Person;
  readonly #device: MqttClient;
  readonly #queue: Awaited<ReturnType<typeof amqp.connect>>;
  readonly #home: GatewayHome;
  readonly #plant: string;
  readonly #address: string;
  readonly #said: Record<Way, string[]> = { chat: [], room: [], floor: [] };
  readonly #got: Record<'chat' | 'room', Got[]> = { chat: [], room: [] };
  #gateway: GatewayProcess | undefined;

  private constructor(parts: Omit<Parts, 'people'>) {
    this.#server = parts.server;
    this.#proxy = parts.proxy;
    this.#nadia = parts.nadia;
    this.#device = parts.device;
    this.#queue = parts.queue;
    this.#home = parts.home;
    this.#plant = parts.plant;
    this.#address = parts.address;
  }

  /** Starts everything. The room is made, and the server started anew, before anything is said: Prosody forgets a younger one. */
  static async open(
    { name, mode }: { readonly name: keyof typeof SERVERS; readonly mode: 'client' | 'component' },
    { people, brokers }: { readonly people: People; readonly brokers: Brokers },
  ): Promise<Soak> {
    const plant = unique('soak');
    const server = await SERVERS[name]({ archive: true, persistentRooms: true, components: ['devices.localhost'] });
    for (const each of ['bridge', 'nadia']) await createAccount(server, each, `${each}-secret`);
    const proxy = await tcpProxy({ port: mode === 'client' ? server.ports.plain : server.ports.component });
    const nadia = await people.login(server, 'nadia');
    await nadia.join(ROOM, 'nadia', { configure: { 'muc#roomconfig_persistentroom': '1' } });
    await server.restart();
    await back(nadia);
    const device = await mqtt.connectAsync(brokers.mosquitto, { protocolVersion: 5 });
    const queue = await amqp.connect(brokers.rabbitmq);
    const configuration = configurationOf(plant, mode, { proxy: proxy.port, ca: server.ca, ...brokers });
    const home = await gatewayHome(JSON.stringify(configuration));
    const address = mode === 'client' ? 'bridge@localhost' : 'pump@devices.localhost';
    const soak = new Soak({ server, proxy, nadia, device, queue, home, plant, address });
    await soak.#listen();
    await soak.startGateway();
    return soak;
  }

  /** Says `count` more messages each way, and in the middle does what is given. Resolves when the brokers have them. */
  async say(count: number, meanwhile: () => Promise<unknown> = async () => undefined): Promise<void> {
    const half = Math.ceil(count / 2);
    await this.#batch(half);
    await meanwhile();
    await this.#batch(count - half);
  }

  cut(): void {
    this.#proxy.reset();
  }

  async blackHole(ms: number): Promise<void> {
    this.#proxy.blackHole(true);
    await sleep(ms);
    this.#proxy.blackHole(false);
  }

  /** SIGKILL of the server, a moment after it has written what it has; what the device says meanwhile waits in the gateway. */
  async killServer(): Promise<void> {
    await sleep(500);
    await this.#server.kill();
    await this.#fromDevice(10);
    await this.#server.restart();
    await back(this.#nadia);
  }

  async killGateway(): Promise<void> {
    await this.#gateway?.kill();
  }

  async startGateway(): Promise<void> {
    this.#gateway = await this.#home.start();
  }

  /** Waits until nothing is missing any more, or until nothing has come for `quiet` ms. */
  async settled(quiet: number): Promise<void> {
    let [known, since] = [-1, performance.now()];
    await waitFor(
      async () => {
        const all = await this.#allGot();
        const count = WAYS.reduce((sum, way) => sum + all[way].length, 0);
        if (count !== known) [known, since] = [count, performance.now()];
        return (
          WAYS.every((way) => outcome(this.#said[way], all[way]).lost.length === 0) || performance.now() - since > quiet
        );
      },
      { what: 'the end', timeout: 60_000, interval: 250 },
    );
    await sleep(300); // What would come twice comes now.
  }

  async outcomes(): Promise<Readonly<Record<Way, Outcome>>> {
    const all = await this.#allGot();
    const of = (way: Way): Outcome => outcome(this.#said[way], all[way]);
    return { chat: of('chat'), room: of('room'), floor: of('floor') };
  }

  /** Texts of the person's messages that came back with an error: their ids are their texts. */
  refused(): readonly string[] {
    return this.#nadia.messages.flatMap(({ type, id }) => (type === 'error' && id !== null ? [id] : []));
  }

  logs(): string {
    return this.#gateway?.logs() ?? '';
  }

  async close(): Promise<void> {
    await this.#home.remove();
    await Promise.all([this.#device.endAsync(true), this.#queue.close(), this.#proxy.close()]);
    await this.#server.stop();
  }

  async #listen(): Promise<void> {
    const take = (way: 'chat' | 'room', body: string, isMarked: boolean): void => {
      const [text = '', event = ''] = body.split(' ');
      this.#got[way].push({ text, event, isMarked });
    };
    this.#device.on('message', (_topic, body, { properties }) =>
      take('room', body.toString(), properties?.userProperties?.['magpie-redelivered'] === 'true'),
    );
    await this.#device.subscribeAsync(`${this.#plant}/room`, { qos: 1 });
    const channel = await this.#queue.createChannel();
    await channel.assertQueue(this.#plant, { durable: false, autoDelete: true });
    await channel.consume(this.#plant, (delivery) => {
      if (!delivery) return;
      channel.ack(delivery);
      take('chat', delivery.content.toString(), delivery.properties.headers?.['x-magpie-redelivered'] === true);
    });
  }

  async #batch(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      await this.#say('chat', (text) => this.#nadia.say(this.#address, text, { id: text }));
      await this.#say('room', (text) => this.#nadia.sayIn(ROOM, text, { id: text }));
    }
    await this.#fromDevice(count);
    await this.#nadia.ping('localhost');
  }

  async #fromDevice(count: number): Promise<void> {
    const publish = (text: string) => this.#device.publishAsync(`${this.#plant}/say`, text, { qos: 1 });
    for (let index = 0; index < count; index++) await this.#say('floor', publish);
  }

  async #say(way: Way, send: (text: string) => Promise<unknown>): Promise<void> {
    const text = `${way}-${this.#said[way].length}`;
    await send(text);
    this.#said[way].push(text);
  }

  /** A repetition in the room has the same origin-id. What went there is read in its archive: a person in it misses what is said while the server is down. */
  async #allGot(): Promise<Readonly<Record<Way, readonly Got[]>>> {
    const archived: Got[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page = await this.#nadia.archive({ jid: ROOM, max: 50, ...(after === undefined ? {} : { after }) });
      for (const { body, originId } of page.messages)
        if (body?.startsWith('floor-')) archived.push({ text: body, event: originId ?? '', isMarked: true });
      after = page.complete || page.last === null ? null : page.last;
    }
    return { ...this.#got, floor: archived };
  }
}

interface Parts {
  readonly server: XmppServer;
  readonly proxy: TcpProxy;
  readonly nadia: Person;
  readonly device: MqttClient;
  readonly queue: Awaited<ReturnType<typeof amqp.connect>>;
  readonly home: GatewayHome;
  readonly plant: string;
  readonly address: string;
  readonly people: People;
}

const ROOM = 'ops@conference.localhost';

/** Comes back after the server was down. */
async function back(nadia: Person): Promise<void> {
  await waitFor(() => !nadia.online, { what: 'the end of her link' });
  await waitFor(() => nadia.login().then(() => true), { what: 'her login', timeout: 20_000 });
  await nadia.join(ROOM, 'nadia');
}

function outcome(said: readonly string[], got: readonly Got[]): Outcome {
  const byText = Map.groupBy(got, ({ text }) => text);
  const byEvent = [...Map.groupBy(got, ({ event }) => event).values()];
  return {
    said: said.length,
    lost: said.filter((text) => !byText.has(text)),
    takenInTwice: byEvent.length - byText.size,
    repeated: got.length - byEvent.length,
    unmarked: byEvent.reduce((sum, [, ...again]) => sum + again.filter(({ isMarked }) => !isMarked).length, 0),
  };
}

function configurationOf(
  plant: string,
  mode: 'client' | 'component',
  at: Brokers & { readonly proxy: number; readonly ca: string },
): object {
  const url = `xmpp://127.0.0.1:${at.proxy}`;
  const account = { jid: 'bridge@localhost', password: 'bridge-secret', url, tls: { ca: at.ca } };
  const component = { mode, domain: 'devices.localhost', secret: 'component-secret', url };
  const whom = mode === 'client' ? { jid: '{user}@localhost' } : { contact: 'pump' };
  const text = '${text} ${event.ref}';
  return {
    version: 1,
    gateway: { id: 'magpie' },
    http: { port: 0 },
    connections: {
      chat: { type: 'xmpp', ...(mode === 'client' ? account : component) },
      floor: { type: 'mqtt', url: at.mosquitto, clientId: `${plant}-floor` },
      erp: { type: 'amqp', url: at.rabbitmq },
    },
    routes: {
      chat: { from: { connection: 'chat', ...whom }, to: { connection: 'erp', queue: plant, text } },
      room: { from: { connection: 'chat', room: ROOM }, to: { connection: 'floor', topic: `${plant}/room`, text } },
      floor: { from: { connection: 'floor', topic: `${plant}/say` }, to: { connection: 'chat', room: ROOM } },
    },
  };
}
