import {
  type Broker,
  type MosquittoBroker,
  type ProsodyBroker,
  type RabbitmqBroker,
  startMosquitto,
  startProsody,
  startRabbitmq,
} from '@magpie/brokers';

/** Messages a session of the benchmark may have at Mosquitto unacknowledged. */
const MOSQUITTO = [
  // Whatever is in flight must be limited by the bridge, not by the broker.
  'max_inflight_messages 5000',
];

const account = (name: string) => ({ name, password: 'bench-secret' });

/** Accounts at Prosody: who speaks, who listens, and who stands between them. */
export const [SENDER, RECEIVER, BRIDGE] = [account('sender'), account('receiver'), account('bridge')] as const;

/** Brokers by the role they have on a path. Two Mosquittos, because a bridge joins two brokers. */
export interface BrokerRoles {
  readonly mosquitto: MosquittoBroker;
  readonly mosquitto2: MosquittoBroker;
  readonly rabbitmq: RabbitmqBroker;
  readonly prosody: ProsodyBroker;
}

/** Name of a role. */
export type BrokerRole = keyof BrokerRoles;

const STARTERS: { readonly [K in BrokerRole]: () => Promise<BrokerRoles[K]> } = {
  mosquitto: () => startMosquitto({ persistence: false, extraConfig: MOSQUITTO }),
  mosquitto2: () => startMosquitto({ persistence: false, extraConfig: MOSQUITTO }),
  rabbitmq: () => startRabbitmq(),
  // Archives on disk would be most of what is measured.
  prosody: () => startProsody({ archive: false, users: [SENDER, RECEIVER, BRIDGE] }),
};

/** Brokers that are started when a path first needs them, and then shared. */
export interface Brokers {
  /** Rejects, each time, with one sentence when it cannot be started. */
  get<K extends BrokerRole>(role: K): Promise<BrokerRoles[K]>;
  /** Those that run, by role. */
  running(): Readonly<Partial<Record<BrokerRole, Broker>>>;
  stop(): Promise<void>;
}

/** Makes the brokers; nothing is started yet. `starters` are given in tests. */
export function createBrokers(starters: typeof STARTERS = STARTERS): Brokers {
  const started = new Map<BrokerRole, Promise<Broker>>();
  const running: Partial<Record<BrokerRole, Broker>> = {};
  const start = async (role: BrokerRole): Promise<Broker> => {
    try {
      const broker: Broker = await starters[role]();
      running[role] = broker;
      return broker;
    } catch (error) {
      // Its log follows the first line.
      const [sentence] = (error instanceof Error ? error.message : String(error)).split('\n');
      throw new Error(`${role} cannot be started: ${sentence}`, { cause: error });
    }
  };
  return {
    get: async <K extends BrokerRole>(role: K) => {
      if (!started.has(role)) started.set(role, start(role));
      return (await started.get(role)) as BrokerRoles[K];
    },
    running: () => running,
    stop: async () => {
      await Promise.allSettled([...started.values()].map(async (broker) => (await broker).stop()));
    },
  };
}
