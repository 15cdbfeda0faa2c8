import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  type Broker,
  type BrokerAvailability,
  ensureBrokers,
  startEjabberd,
  startMosquitto,
  startProsody,
  startRabbitmq,
} from '@magpie/brokers';
import { listen, portOf } from '../network/listen.ts';

/** The users every shared broker has. Their password is the name followed by `-secret`. */
const users = ['magpie', 'alice', 'bob', 'carol'].map((name) => ({ name, password: `${name}-secret` }));

const starters = {
  mosquitto: () => startMosquitto({ users }),
  rabbitmq: () => startRabbitmq({ users }),
  prosody: () => startProsody({ users }),
  ejabberd: () => startEjabberd({ users }),
};

type Starters = typeof starters;
/** A broker that test processes share: `mosquitto`, `rabbitmq`, `prosody` or `ejabberd`. */
export type BrokerName = keyof Starters;

/** What would disturb other tests is left out. */
type Disturbing = 'kill' | 'stop' | 'pause' | 'resume' | 'restart' | 'logs' | 'control' | 'pid';

/** A broker that all test files of a run use together: nobody may kill or stop it. */
export type SharedBroker<Name extends BrokerName> = Omit<Awaited<ReturnType<Starters[Name]>>, Disturbing> & {
  /** Runs the broker's control program, as {@link Broker.control} does. */
  control(...args: readonly string[]): Promise<string>;
};

/** Starts brokers when they are first asked for, and tells other processes where they are. */
export interface BrokerHub {
  /** Loopback port that {@link askHub} connects to. */
  readonly port: number;
  /** Stops the brokers that were started. */
  close(): Promise<void>;
}

interface Request {
  readonly name: BrokerName;
  /** Arguments of the broker's control program; without them the broker's description is asked for. */
  readonly control?: readonly string[];
}

type Reply = { readonly value: unknown } | { readonly problem: string };

/** Opens a hub. Called once per test run, by the global setup. */
export async function openBrokerHub(): Promise<BrokerHub> {
  const started = new Map<BrokerName, Promise<Broker>>();
  const broker = (name: BrokerName): Promise<Broker> => {
    const known = started.get(name) ?? startInstalled(name);
    started.set(name, known);
    return known;
  };
  const server = await listen(0, (socket) => void serve(socket, broker));
  return {
    port: portOf(server),
    close: async () => {
      server.close();
      const all = await Promise.allSettled(started.values());
      const running = all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      await Promise.all(running.map((found) => found.stop()));
    },
  };
}

let installing: Promise<BrokerAvailability> | undefined;

async function startInstalled(name: BrokerName): Promise<Broker> {
  const install = () => ensureBrokers({ wanted: [name] });
  // One after the other: two installations at a time would fight for apt's lock.
  installing = installing === undefined ? install() : installing.then(install, install);
  const { missing, reason } = await installing;
  if (missing.length > 0) throw new Error(reason);
  return starters[name]();
}

async function serve(socket: Socket, broker: (name: BrokerName) => Promise<Broker>): Promise<void> {
  // A test process that went away does not need its answer.
  socket.on('error', () => undefined);
  socket.end(JSON.stringify(await answer(await text(socket), broker)));
}

async function answer(requestText: string, broker: (name: BrokerName) => Promise<Broker>): Promise<Reply> {
  try {
    const { name, control }: Request = JSON.parse(requestText);
    const found = await broker(name);
    return { value: control === undefined ? found : await found.control(...control) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Asks the hub on `port` for broker `name`, which starts it if nobody asked before.
 * @throws Error with the hub's reason when it cannot be started.
 */
export async function askHub<Name extends BrokerName>(port: number, name: Name): Promise<SharedBroker<Name>> {
  // The hub runs this same file: its JSON is that broker's own fields.
  const described = (await exchange(port, { name })) as SharedBroker<Name>;
  const control = async (...args: readonly string[]) => String(await exchange(port, { name, control: args }));
  return { ...described, control };
}

async function exchange(port: number, request: Request): Promise<unknown> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.end(JSON.stringify(request));
  const reply: Reply = JSON.parse(await text(socket));
  if ('problem' in reply) throw new Error(reply.problem);
  return reply.value;
}
