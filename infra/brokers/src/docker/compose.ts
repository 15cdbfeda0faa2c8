import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BrokerSet, BrokerUrls, BrokerUser } from '../broker.ts';
import { xmppSite } from '../kinds/xmpp-server.ts';
import { defaultUser } from '../launch.ts';
import { guard } from '../process/guard.ts';
import { choosePorts } from '../process/ports.ts';
import { amqpGreeting, type Greeting, greets, mqttGreeting, xmppGreeting } from '../process/probe.ts';
import { requireProgram, run } from '../process/run.ts';
import { tlsFiles } from '../tls.ts';

/** How {@link startComposeBrokers} goes about it. */
export interface ComposeOptions {
  /** Logins. The first one is RabbitMQ's, all are XMPP accounts of `localhost`; Mosquitto takes any. */
  readonly users?: readonly [BrokerUser, ...BrokerUser[]];
  /** Milliseconds until all three must answer, once their containers run. Default 120,000. */
  readonly readyTimeout?: number;
}

const file = fileURLToPath(new URL('../../compose.yaml', import.meta.url));

type Ports = Readonly<Record<keyof BrokerUrls, number>>;

/**
 * Starts Mosquitto, RabbitMQ and Prosody with Docker Compose on free ports of 127.0.0.1 and resolves when all answer: some
 * seconds, and the first time as long as it takes to fetch the images. However this process ends, the containers go with it.
 * @throws Error with Docker's words when an image cannot be fetched or a container does not start, or naming the broker that
 * does not answer.
 */
export async function startComposeBrokers(options: ComposeOptions = {}): Promise<BrokerSet> {
  const users = options.users ?? [defaultUser];
  const ports = await choosePorts(['mosquitto', 'rabbitmq', 'prosody', 'component']);
  const tls = await tlsFiles(join(guard().root, 'tls'));
  // Prosody runs as another user in its container; the key guards a test server only.
  await chmod(tls.key, 0o644);
  const project = createProject(environment(ports, users[0]));
  try {
    await project.compose('up', '--detach', '--quiet-pull');
    await untilAllAnswer(ports, options.readyTimeout ?? 120_000);
    for (const { name, password } of users) {
      await project.compose('exec', '-T', 'prosody', 'prosodyctl', 'register', name, 'localhost', password);
    }
  } catch (error) {
    // The first error is the one to report; clearing up fails too where Docker itself does not work.
    await project.down().catch(() => undefined);
    throw error;
  }
  const title = 'Mosquitto, RabbitMQ and Prosody in Docker';
  return { title, urls: urlsOf(ports), ca: tls.ca, componentSecret: xmppSite.componentSecret, stop: project.down };
}

const environment = (ports: Ports, { name, password }: BrokerUser): NodeJS.ProcessEnv => ({
  MAGPIE_MQTT_PORT: `${ports.mosquitto}`,
  MAGPIE_AMQP_PORT: `${ports.rabbitmq}`,
  MAGPIE_XMPP_PORT: `${ports.prosody}`,
  MAGPIE_COMPONENT_PORT: `${ports.component}`,
  MAGPIE_TLS_DIR: join(guard().root, 'tls'),
  MAGPIE_USER: name,
  MAGPIE_PASSWORD: password,
});

let projects = 0;

/** A Compose project of its own, so that several runs on one machine do not meet. */
function createProject(env: NodeJS.ProcessEnv) {
  const docker = requireProgram('docker');
  projects += 1;
  const name = `magpie-brokers-${process.pid}-${projects}`;
  const compose = (...args: string[]): Promise<string> =>
    run(docker, ['compose', '-f', file, '-p', name, ...args], { env });
  const down = async (): Promise<void> => {
    await compose('down', '--volumes', '--remove-orphans');
    guard().decompose(name);
  };
  guard().compose(name);
  return { compose, down };
}

const urlsOf = ({ mosquitto, rabbitmq, prosody, component }: Ports): BrokerUrls => ({
  mosquitto: `mqtt://127.0.0.1:${mosquitto}`,
  rabbitmq: `amqp://127.0.0.1:${rabbitmq}`,
  prosody: `xmpp://127.0.0.1:${prosody}`,
  component: `xmpp://127.0.0.1:${component}`,
});

async function untilAllAnswer({ mosquitto, rabbitmq, prosody }: Ports, timeout: number): Promise<void> {
  const deadline = performance.now() + timeout;
  const answers = async (name: string, port: number, greeting: Greeting): Promise<void> => {
    while (!(await greets(port, greeting, 1000))) {
      if (performance.now() > deadline) {
        throw new Error(`The container of ${name} did not answer on port ${port} within ${timeout / 1000} s.`);
      }
      await sleep(200);
    }
  };
  await answers('Mosquitto', mosquitto, mqttGreeting);
  await answers('RabbitMQ', rabbitmq, amqpGreeting);
  await answers('Prosody', prosody, xmppGreeting);
}
