import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAccountWithContacts, startEjabberd, startProsody, type XmppServer } from '@magpie/brokers';
import { openLog } from '@magpie/bus';
import { waitFor } from '@magpie/testkit';
import { type GatewayHome, type GatewayProcess, gatewayHome } from './gateway-process.ts';
import { type Watcher, watcher } from './watcher.ts';

/** How many people follow how many contacts each; no contact is followed by two. */
export interface CrowdSize {
  readonly people: number;
  readonly contacts: number;
}

/** What was measured of a gateway whose component has very many contacts. */
export interface CrowdFigures extends CrowdSize {
  readonly server: string;
  /** Resident memory of the gateway before there was any contact, and with all of them and their followers, MB. */
  readonly memoryBefore: number;
  readonly memory: number;
  /** From the kill of the gateway: until its successor is ready, and until everybody has heard of every contact again, s. */
  readonly ready: number;
  readonly burst: number;
  /** From the login of one person until it has heard of all its contacts, s. */
  readonly login: number;
  /** Sessions of people that the server has ended. */
  readonly ended: number;
}

const DOMAIN = 'devices.localhost';
const STARTERS = {
  prosody: () => startProsody({ archive: false }),
  // Its own default: a person who is sent more presences than it acknowledges is thrown out.
  ejabberd: () => startEjabberd({ archive: false, requireTls: false, storedPasswords: 'plain', ackQueue: 5_000 }),
};

/** Longest wait for any step, ms. */
const PATIENCE_MS = 60_000;

const contactOf = (person: number, index: number): string => `dev-${person}-${index}`;
const userOf = (person: number): string => `person${person}`;

/** Runs the whole story on a server of its own: contacts with their followers, a login, a crash of the gateway. */
export async function measureCrowd(
  name: keyof typeof STARTERS,
  size: CrowdSize,
  progress: (sentence: string) => void = () => undefined,
): Promise<CrowdFigures> {
  const server = await STARTERS[name]();
  const home = await gatewayHome(JSON.stringify(configurationOf(server)));
  const crowd = new Crowd(server, home, size, progress);
  try {
    return await crowd.measure();
  } finally {
    crowd.close();
    await home.remove();
    await server.stop();
  }
}

class Crowd {
  readonly #server: XmppServer;
  readonly #home: GatewayHome;
  readonly #size: CrowdSize;
  readonly #progress: (sentence: string) => void;
  #people: Watcher[] = [];

  constructor(server: XmppServer, home: GatewayHome, size: CrowdSize, progress: (sentence: string) => void) {
    this.#server = server;
    this.#home = home;
    this.#size = size;
    this.#progress = progress;
  }

  async measure(): Promise<CrowdFigures> {
    const { people, contacts } = this.#size;
    for (let person = 0; person < people; person++)
      await createAccountWithContacts(this.#server, userOf(person), 'secret', this.#jids(person));
    const empty = await this.#home.start();
    const memoryBefore = memoryOf(empty);
    await empty.terminate();
    await this.#know();
    const first = await this.#home.start();
    this.#progress('the contacts and their followers are in the log');
    for (let person = 0; person < people; person++) this.#people.push(await this.#login(person));
    await this.#allThere('the first time');
    this.#progress('everybody has seen all');
    const login = await this.#again();
    const memory = memoryOf(first);
    const { ready, burst } = await this.#crash(first);
    const server = `${this.#server.name} ${this.#server.version}`;
    return { server, people, contacts, memoryBefore, memory, ready, burst, login, ended: this.#count() };
  }

  close(): void {
    for (const person of this.#people) person.close();
  }

  #jids(person: number): readonly string[] {
    return Array.from({ length: this.#size.contacts }, (_, index) => `${contactOf(person, index)}@${DOMAIN}`);
  }

  /** What handshakes would leave in the log of the gateway: on the wire each of them costs a server as much as all before. */
  async #know(): Promise<void> {
    const log = await openLog({ store: 'sqlite', dataDir: join(this.#home.directory, 'data') });
    const { people, contacts } = this.#size;
    for (let person = 0; person < people; person++) {
      const values = Array.from({ length: contacts }, (_, index) => contactOf(person, index)).flatMap((name) => [
        { key: `contact ${name}`, value: JSON.stringify({ name, presence: { available: true, status: 'running' } }) },
        { key: `follower ${name} ${userOf(person)}@localhost`, value: '1' },
      ]);
      await log.commit({ values: values.map((value) => ({ connection: 'people', ...value })) });
    }
    await log.close();
  }

  #login(person: number): Promise<Watcher> {
    return watcher(this.#server.ports.plain, userOf(person), 'secret');
  }

  async #again(): Promise<number> {
    this.#people[0]?.close();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const began = performance.now();
    const person = await this.#login(0);
    this.#people[0] = person;
    await this.#until('all contacts after the login', () => person.there.size >= this.#size.contacts);
    return secondsSince(began);
  }

  async #crash(gateway: GatewayProcess): Promise<{ readonly ready: number; readonly burst: number }> {
    await gateway.kill();
    for (const person of this.#people) person.forget();
    const began = performance.now();
    await this.#home.start();
    const ready = secondsSince(began);
    await this.#allThere('after the crash');
    return { ready, burst: secondsSince(began) };
  }

  #allThere(when: string): Promise<unknown> {
    return this.#until(`all contacts of everybody ${when}`, () =>
      this.#people.every(({ there }) => there.size >= this.#size.contacts),
    );
  }

  /** Whoever is thrown out never gets there. */
  #until(what: string, condition: () => boolean): Promise<unknown> {
    return waitFor(() => condition() || this.#count() > 0, { what, timeout: PATIENCE_MS, interval: 5 });
  }

  #count(): number {
    return this.#people.filter(({ ended }) => ended !== undefined).length;
  }
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000;

/** Resident memory, MB. */
function memoryOf({ pid }: GatewayProcess): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

const configurationOf = ({ urls, componentSecret }: XmppServer): object => ({
  version: 1,
  gateway: { id: 'magpie', dataDir: './data' },
  http: { port: 0 },
  connections: {
    people: {
      ...{ type: 'xmpp', mode: 'component', domain: DOMAIN, secret: componentSecret, url: urls.component },
      contacts: { allow: ['*@localhost'] },
    },
  },
  routes: {
    online: {
      from: { connection: 'http', topic: 'status/{device}' },
      to: { connection: 'people', contact: '${device}', presence: { available: true, status: '${text}' } },
    },
  },
});
