import type { Broker, BrokerSet, BrokerUser } from './broker.ts';
import { startComposeBrokers } from './docker/compose.ts';
import { dockerObstacle } from './docker/docker.ts';
import { ensureBrokers } from './install.ts';
import { startMosquitto } from './kinds/mosquitto.ts';
import { startProsody } from './kinds/prosody.ts';
import { startRabbitmq } from './kinds/rabbitmq.ts';
import { messageOf } from './process/run.ts';

/** How {@link startBrokerSet} goes about it. */
export interface BrokerSetOptions {
  /** Logins that all three take; the first one is RabbitMQ's only one where Docker runs it. */
  readonly users: readonly [BrokerUser, ...BrokerUser[]];
  /** Told in plain sentences what is started, what takes time and what does not work. */
  readonly progress: (sentence: string) => void;
}

/** There is no way to get real brokers on this machine. The message says what is missing for each way. */
export class NoBrokers extends Error {
  override readonly name = 'NoBrokers';
}

/**
 * Starts all three brokers: with Docker Compose when an engine answers, else as programs of this machine, where what is
 * missing is installed as Debian packages when this process is root. Called once by `npm start`.
 * @throws NoBrokers when neither way is open, and Error with its log when an installed broker does not start.
 */
export async function startBrokerSet({ users, progress }: BrokerSetOptions): Promise<BrokerSet> {
  const composed = await tryCompose(users, progress);
  if (typeof composed !== 'string') return composed;
  const { missing, reason } = await ensureBrokers({ wanted: ['mosquitto', 'rabbitmq', 'prosody'], progress });
  if (missing.length > 0) throw new NoBrokers(`Docker Compose cannot be used: ${composed}. ${reason}`);
  return startNative(users, progress);
}

type Users = BrokerSetOptions['users'];
type Progress = BrokerSetOptions['progress'];

/** The brokers in containers, or why not. */
async function tryCompose(users: Users, progress: Progress): Promise<BrokerSet | string> {
  const obstacle = await dockerObstacle();
  if (obstacle !== undefined) return obstacle;
  progress('Docker answers: starting the brokers with Docker Compose; the first time it fetches their images.');
  try {
    return await startComposeBrokers({ users });
  } catch (error) {
    const why = messageOf(error).trim().replace(/\.$/, '');
    progress(`${why}. Going on without Docker.`);
    return why;
  }
}

async function startNative(users: Users, progress: Progress): Promise<BrokerSet> {
  const announced = async <B extends Broker<'plain'>>(starting: Promise<B>): Promise<B> => {
    const broker = await starting;
    progress(`${broker.name} ${broker.version} on port ${broker.ports.plain}`);
    return broker;
  };
  const [mosquitto, rabbitmq, prosody] = await Promise.all([
    announced(startMosquitto({ users })),
    announced(startRabbitmq({ users })),
    announced(startProsody({ users })),
  ]);
  return {
    title: 'Mosquitto, RabbitMQ and Prosody',
    urls: {
      mosquitto: mosquitto.urls.anonymous,
      rabbitmq: `amqp://127.0.0.1:${rabbitmq.ports.plain}`,
      prosody: prosody.urls.plain,
      component: prosody.urls.component,
    },
    ca: prosody.ca,
    componentSecret: prosody.componentSecret,
    stop: async () => void (await Promise.all([mosquitto.stop(), rabbitmq.stop(), prosody.stop()])),
  };
}
