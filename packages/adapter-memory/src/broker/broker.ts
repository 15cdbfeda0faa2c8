import {
  AuthFailed,
  Conflict,
  type MagpieError,
  type MessageParts,
  NotConnected,
  newRef,
  Secret,
} from '@magpie/contract';
import { type BrokerSide, createClient, type MemoryClient } from './client.ts';
import { createGate } from './gate.ts';
import type { MemoryMessage } from './message.ts';
import { createStore, type MemoryListener, type Store } from './store.ts';
import { createWire, type Network, type Wire } from './wire.ts';

export type { MemoryListener } from './store.ts';

/** Control of an in-memory broker by a test or demo. Everything takes effect at once. */
export interface MemoryBroker {
  readonly name: string;
  /** Publishes as a client outside the gateway would. Throws like a refused send (see `refuseSends`). */
  publish(channel: string, message?: Partial<MessageParts>): void;
  /** Calls the listener for every message on matching channels (`+` and `#` as in routes); the result stops it. */
  subscribe(filter: string, listener: MemoryListener): () => void;
  /** The last 10,000 messages published by anyone, oldest first. */
  readonly seen: readonly MemoryMessage[];
  /** Requires this password from new links; undefined: none. */
  requirePassword(password: string | undefined): void;
  /** Cuts every link; clients may connect again at once. Ends a silence. */
  disconnectAll(): void;
  /** Cuts every link and refuses new ones until `start`. Sessions and waiting messages are kept. */
  stop(): void;
  start(): void;
  /** Stops all traffic in both directions without closing links, until `restore` or `disconnectAll`. */
  silence(): void;
  restore(): void;
  /** Refuses the next `count` messages with this error, for example `() => new Transient('queue full')`. */
  refuseSends(count: number, error: () => MagpieError): void;
  /** Refuses all messages for a channel, for this reason, while it takes others; undefined: takes them again. */
  closeChannel(channel: string, reason: string | undefined): void;
  /** Takes messages in but does not confirm them, until `releaseConfirmations`. */
  holdConfirmations(): void;
  releaseConfirmations(): void;
  /** Sets the one-way delay of the wire, in ms. */
  setLatency(ms: number): void;
  /** Cuts every link and forgets everything: sessions, kept values, listeners, `seen` and all faults. */
  reset(): void;
}

/** Identity of a connecting client. */
export interface Login {
  readonly clientId: string;
  readonly password: Secret | undefined;
}

/** The handle plus the part that the adapter uses. */
export interface BrokerServer extends MemoryBroker {
  /**
   * Establishes a link; `onLost` is called once if it ends other than by the client. Rejects with `NotConnected` while
   * the broker is stopped, with `AuthFailed` for a wrong password.
   */
  connect(login: Login, onLost: (error: MagpieError) => void): Promise<MemoryClient>;
}

const brokers = new Map<string, BrokerServer>();

/** The broker of that name in this process, made at first use. */
export function brokerServer(name: string): BrokerServer {
  const broker = brokers.get(name) ?? createBroker(name);
  brokers.set(name, broker);
  return broker;
}

/** The test's handle of the broker with that name, which connections with `broker: name` use. */
export const memoryBroker = (name = 'default'): MemoryBroker => brokerServer(name);

/** Present state and faults. */
interface BrokerState {
  epoch: string;
  running: boolean;
  password: Secret | undefined;
  readonly network: Network;
  readonly confirmations: ReturnType<typeof createGate>;
  /** Functions that end a link, by client id. */
  readonly links: Map<string, (error: MagpieError) => void>;
}

function createBroker(name: string): BrokerServer {
  const store = createStore();
  const network: Network = { silence: createGate(), latency: 0 };
  const state: BrokerState = {
    epoch: newRef(),
    running: true,
    password: undefined,
    network,
    confirmations: createGate(),
    links: new Map(),
  };
  const disconnectAll = (): void => {
    for (const end of [...state.links.values()]) end(new NotConnected(`the in-memory broker "${name}" cut the link`));
    network.silence.open();
  };
  return {
    name,
    seen: store.seen,
    publish: (channel, message = {}) => store.accept(published(channel, message)),
    subscribe: store.watch,
    disconnectAll,
    ...faults(state, store),
    requirePassword(password) {
      state.password = password === undefined ? undefined : new Secret(password);
    },
    stop() {
      state.running = false;
      disconnectAll();
    },
    start() {
      state.running = true;
    },
    reset() {
      disconnectAll();
      store.clear();
      state.confirmations.open();
      Object.assign(state, { epoch: newRef(), running: true, password: undefined });
      network.latency = 0;
    },
    connect: (login, onLost) => connect(name, state, store, login, onLost),
  };
}

function faults(
  { network, confirmations }: BrokerState,
  store: Store,
): Pick<
  MemoryBroker,
  'silence' | 'restore' | 'refuseSends' | 'closeChannel' | 'holdConfirmations' | 'releaseConfirmations' | 'setLatency'
> {
  return {
    silence: network.silence.shut,
    restore: network.silence.open,
    refuseSends: store.refuse,
    closeChannel: store.close,
    holdConfirmations: confirmations.shut,
    releaseConfirmations: confirmations.open,
    setLatency(ms) {
      network.latency = ms;
    },
  };
}

async function connect(
  name: string,
  state: BrokerState,
  store: Store,
  login: Login,
  onLost: (error: MagpieError) => void,
): Promise<MemoryClient> {
  const wire = createWire(state.network);
  await wire.pass();
  if (!state.running) throw new NotConnected(`the in-memory broker "${name}" is stopped`);
  if (state.password && state.password.reveal() !== login.password?.reveal()) {
    throw new AuthFailed(`the in-memory broker "${name}" refused the password of client "${login.clientId}"`);
  }
  state.links.get(login.clientId)?.(new Conflict(`another client connected as "${login.clientId}"`));
  return createClient(brokerSide(state, store, wire, login.clientId, onLost));
}

function brokerSide(
  state: BrokerState,
  store: Store,
  wire: Wire,
  clientId: string,
  onLost: (error: MagpieError) => void,
): BrokerSide {
  const session = store.session(clientId);
  const drop = (error?: MagpieError): void => {
    if (!wire.up) return;
    state.links.delete(clientId);
    session.detach();
    wire.cut();
    if (error) onLost(error);
  };
  state.links.set(clientId, drop);
  return {
    epoch: state.epoch,
    wire,
    session,
    drop,
    sendRetained: (patterns) => store.sendRetained(session, patterns),
    async accept(message) {
      store.accept(message);
      await state.confirmations.passed();
    },
  };
}

function published(channel: string, parts: Partial<MessageParts>): MemoryMessage {
  const { body = new Uint8Array(0), retain = false, ...properties } = parts;
  return { channel, body, retain, sender: '', properties };
}
