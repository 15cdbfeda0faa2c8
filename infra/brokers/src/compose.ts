import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BrokerUser } from './broker.ts';
import { guard } from './guard.ts';
import { defaultUser } from './launch.ts';
import { choosePorts } from './ports.ts';
import { amqpGreeting, type Greeting, greets, mqttGreeting, xmppGreeting } from './probe.ts';
import { findProgram, run } from './run.ts';
import { tlsFiles } from './tls.ts';

/** Brokers in containers: reachable, but not to be killed or paused one by one as native ones are. */
export interface ComposeBrokers {
  readonly urls: { readonly mosquitto: string; readonly rabbitmq: string; readonly prosody: string };
  /** Path of the certificate authority for Prosody's STARTTLS; the others are plain TCP on the loopback address. */
  readonly ca: string;
  /** Removes the containers and their data. */
  stop(): Promise<void>;
}

const file = fileURLToPath(new URL('../compose.yaml', import.meta.url));

/** Whether a Docker engine answers and the Compose plug-in is there. Never throws. */
export async function dockerAnswers(): Promise<boolean> {
  const docker = findProgram('docker');
  if (docker === undefined) return false;
  try {
    await run(docker, ['info', '--format', '{{.ServerVersion}}']);
    await run(docker, ['compose', 'version', '--short']);
    return true;
  } catch {
    // No engine or no plug-in: either way containers cannot be used.
    return false;
  }
}

/**
 * Starts Mosquitto, RabbitMQ and Prosody with Docker Compose on free ports and resolves when all answer. The user of
 * Mosquitto is anonymous, RabbitMQ's is `magpie` with `magpie-secret`.
 * @param users XMPP accounts of `localhost` to create.
 * @throws Error with Docker's words when an image cannot be fetched or a container does not answer in two minutes.
 */
export async function startComposeBrokers(users: readonly BrokerUser[] = [defaultUser]): Promise<ComposeBrokers> {
  const ports = await choosePorts(['mosquitto', 'rabbitmq', 'prosody']);
  const tls = await tlsFiles(join(guard().root, 'tls'));
  // Prosody runs as another user in its container; the key guards a test server only.
  await chmod(tls.key, 0o644);
  const env = {
    ...process.env,
    MAGPIE_MQTT_PORT: `${ports.mosquitto}`,
    MAGPIE_AMQP_PORT: `${ports.rabbitmq}`,
    MAGPIE_XMPP_PORT: `${ports.prosody}`,
    MAGPIE_TLS_DIR: join(guard().root, 'tls'),
  };
  const project = `magpie-brokers-${process.pid}`;
  const compose = (...args: string[]) => run('docker', ['compose', '-f', file, '-p', project, ...args], env);
  const stop = async () => void (await compose('down', '--volumes', '--remove-orphans'));
  try {
    await compose('up', '--detach', '--quiet-pull');
    await untilAllAnswer(ports);
    for (const { name, password } of users) {
      await compose('exec', '-T', 'prosody', 'prosodyctl', 'register', name, 'localhost', password);
    }
  } catch (error) {
    // The first error is the one to report; clearing up fails too where Docker itself does not work.
    await stop().catch(() => undefined);
    throw error;
  }
  return { urls: urls(ports), ca: tls.ca, stop };
}

type Ports = Readonly<Record<'mosquitto' | 'rabbitmq' | 'prosody', number>>;

const urls = ({ mosquitto, rabbitmq, prosody }: Ports) => ({
  mosquitto: `mqtt://127.0.0.1:${mosquitto}`,
  rabbitmq: `amqp://${defaultUser.name}:${defaultUser.password}@127.0.0.1:${rabbitmq}`,
  prosody: `xmpp://127.0.0.1:${prosody}`,
});

async function untilAllAnswer({ mosquitto, rabbitmq, prosody }: Ports): Promise<void> {
  const deadline = performance.now() + 120_000;
  const answers = async (name: string, port: number, greeting: Greeting) => {
    while (!(await greets(port, greeting, 1000))) {
      if (performance.now() > deadline) throw new Error(`The container of ${name} did not answer within 120 s.`);
      await sleep(200);
    }
  };
  await answers('Mosquitto', mosquitto, mqttGreeting);
  await answers('RabbitMQ', rabbitmq, amqpGreeting);
  await answers('Prosody', prosody, xmppGreeting);
}
