import { randomBytes } from 'node:crypto';
import {
  type EjabberdOptions,
  type MosquittoBroker,
  type MosquittoOptions,
  type ProsodyBroker,
  type ProsodyOptions,
  type RabbitmqBroker,
  type RabbitmqOptions,
  startEjabberd,
  startMosquitto,
  startProsody,
  startRabbitmq,
  type XmppServer,
} from '@magpie/brokers';
import { afterAll, beforeAll, inject } from 'vitest';
import './global-brokers.ts';
import { askHub, type BrokerHub, type BrokerName, openBrokerHub, type SharedBroker } from './shared-brokers.ts';

/** Own brokers of one test file. Reading one before the tests run is an error. */
export interface OwnBrokers {
  readonly mosquitto: MosquittoBroker;
  readonly rabbitmq: RabbitmqBroker;
  readonly prosody: ProsodyBroker;
  readonly ejabberd: XmppServer;
}

/** Which brokers to start, each with its options (`{}` for none). */
export interface OwnBrokerOptions {
  readonly mosquitto?: MosquittoOptions;
  readonly rabbitmq?: RabbitmqOptions;
  readonly prosody?: ProsodyOptions;
  readonly ejabberd?: EjabberdOptions;
}

/**
 * Starts brokers of its own for a test file or `describe` block, in parallel, and stops them after its last test: for
 * tests that kill, pause or restart them. Called at the top level or directly in `describe`.
 */
export function useBrokers<Wanted extends OwnBrokerOptions>(
  wanted: Wanted,
): Pick<OwnBrokers, keyof Wanted & BrokerName> {
  const started: Partial<OwnBrokers> = {};
  beforeAll(async () => {
    const { mosquitto, rabbitmq, prosody, ejabberd } = wanted;
    await Promise.all([
      mosquitto && startMosquitto(mosquitto).then((broker) => Object.assign(started, { mosquitto: broker })),
      rabbitmq && startRabbitmq(rabbitmq).then((broker) => Object.assign(started, { rabbitmq: broker })),
      prosody && startProsody(prosody).then((broker) => Object.assign(started, { prosody: broker })),
      ejabberd && startEjabberd(ejabberd).then((broker) => Object.assign(started, { ejabberd: broker })),
    ]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(Object.values(started).map((broker) => broker.stop()));
  }, 60_000);
  return lateBound(started);
}

/**
 * Gives a test file or `describe` block the brokers that the whole run shares: for tests that only use them. Take
 * {@link unique} names. Users are magpie, alice, bob and carol, the password is the name followed by `-secret`.
 */
export function useSharedBrokers<Name extends BrokerName>(
  ...names: readonly Name[]
): { readonly [Key in Name]: SharedBroker<Key> } {
  const found: Partial<{ [Key in Name]: SharedBroker<Key> }> = {};
  let own: BrokerHub | undefined;
  const openOwn = async () => {
    own = await openBrokerHub();
    return own.port;
  };
  beforeAll(async () => {
    // Without the global setup this file gets brokers of its own, so it can be run in any project.
    const port = inject('magpieBrokerHub') ?? (await openOwn());
    await Promise.all(names.map(async (name) => Object.assign(found, { [name]: await askHub(port, name) })));
  }, 120_000);
  afterAll(() => own?.close(), 60_000);
  return lateBound(found);
}

const run = randomBytes(4).toString('hex');
let counter = 0;

/**
 * Returns `name` with a suffix that no other test, file or run has: `topic-3f9a1c2e-1`. Lower-case letters, digits and
 * hyphens only are added, so it stays a valid topic level, queue name, room name and resource.
 */
export function unique(name: string): string {
  counter += 1;
  return `${name}-${run}-${counter}`;
}

/** A view of `values` whose properties must have been filled by the time they are read. */
function lateBound<Values extends object>(values: Partial<Values>): Values {
  // The proxy turns "maybe missing" into "there, or a thrown sentence", which the type system cannot see.
  return new Proxy(values, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (value === undefined) {
        throw new Error(`The broker "${String(name)}" is not started: read it inside a test or a hook, not before.`);
      }
      return value;
    },
  }) as Values;
}
