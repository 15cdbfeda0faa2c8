import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { startComposeBrokers } from '../src/docker/compose.ts';
import { dockerObstacle } from '../src/docker/docker.ts';
import { NoBrokers, startBrokerSet, startProgram } from '../src/index.ts';
import { type FakeMode, fakeDocker } from './fake-docker-folder.ts';

const users = [
  { name: 'magpie', password: 'one' },
  { name: 'alice', password: 'two' },
] as const;

afterEach(() => void vi.unstubAllEnvs());

/** Puts the stand-in for `docker` first in PATH. */
function withDocker(mode: FakeMode) {
  const docker = fakeDocker();
  for (const [name, value] of Object.entries(docker.env(mode))) vi.stubEnv(name, value);
  return docker;
}

/** The words of each call after the project's name. */
const commands = ({ calls }: ReturnType<typeof fakeDocker>): readonly string[] =>
  calls().flatMap(({ words }) => (words.includes('-p') ? [words.slice(words.indexOf('-p') + 2).join(' ')] : []));

async function isOpen(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const opened = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return opened;
}

it('starts the containers, waits until all answer, makes the users and takes everything down', async () => {
  const docker = withDocker('works');
  const brokers = await startBrokerSet({ users, progress: () => undefined });
  expect(brokers.title).toBe('Mosquitto, RabbitMQ and Prosody in Docker');
  expect(existsSync(brokers.ca)).toBe(true);
  for (const url of Object.values(brokers.urls)) expect(await isOpen(url)).toBe(true);
  await brokers.stop();
  for (const url of Object.values(brokers.urls)) await expect.poll(() => isOpen(url)).toBe(false);
  expect(commands(docker)).toEqual([
    'up --detach --quiet-pull',
    'exec -T prosody prosodyctl register magpie localhost one',
    'exec -T prosody prosodyctl register alice localhost two',
    'down --volumes --remove-orphans',
  ]);
  expect(docker.calls().at(-1)).toMatchObject({ user: 'magpie', tls: expect.stringContaining('tls') });
});

it('gives each set a project of its own', async () => {
  const docker = withDocker('works');
  const sets = [await startComposeBrokers(), await startComposeBrokers()];
  expect(docker.running()).toHaveLength(2);
  for (const brokers of sets) await brokers.stop();
  expect(docker.running()).toEqual([]);
  const projects = docker.calls().map(({ words }) => words[words.indexOf('-p') + 1]);
  expect(new Set(projects).size).toBe(2);
});

it.each([
  ['no-image', 'pull access denied'],
  ['no-register', 'prosodyctl: no such host'],
  ['silent', /The container of RabbitMQ did not answer on port \d+ within 0\.5 s/],
] as const)('with %s fails with the words of Docker and leaves no container', async (mode, message) => {
  const docker = withDocker(mode);
  await expect(startComposeBrokers({ users, readyTimeout: 500 })).rejects.toThrow(message);
  expect(commands(docker).at(-1)).toBe('down --volumes --remove-orphans');
  expect(docker.running()).toEqual([]);
});

it.each([
  ['works', undefined],
  ['no-engine', /^no Docker engine answers \(.*Cannot connect to the Docker daemon\.\)$/],
  ['no-compose', /^Docker has no Compose plug-in \(.*unknown flag: --short\)$/],
] as const)('with %s the obstacle is %s', async (mode, expected) => {
  withDocker(mode);
  const obstacle = await dockerObstacle();
  if (expected === undefined) expect(obstacle).toBeUndefined();
  else expect(obstacle).toMatch(expected);
});

it('says that there is no docker program', async () => {
  vi.stubEnv('PATH', '/nowhere');
  expect(await dockerObstacle()).toBe('there is no program "docker" in PATH');
});

it('says what is missing for each way when no way is open', async () => {
  const { folder } = withDocker('no-engine');
  vi.stubEnv('PATH', folder); // Without apt-get and without the installed brokers.
  const set = startBrokerSet({ users, progress: () => undefined });
  await expect(set).rejects.toBeInstanceOf(NoBrokers);
  await expect(set).rejects.toThrow(
    /^Docker Compose cannot be used: no Docker engine answers \(.*\)\. Real brokers are not complete: .*prosody.* not found, and this system has no apt-get\. Install them with "apt-get install /,
  );
});

it('takes the containers down when the process that started them is killed', async () => {
  const docker = fakeDocker();
  const source = fileURLToPath(new URL('../src/docker/compose.ts', import.meta.url));
  const program = `
    const { startComposeBrokers } = await import(${JSON.stringify(source)});
    await startComposeBrokers();
    console.log('up');
    setInterval(() => {}, 1000);
  `;
  const args = ['--input-type=module', '-e', program];
  const parent = await startProgram(process.execPath, args, { env: docker.env('works') });
  await parent.says(/up/);
  await parent.kill();
  await expect.poll(() => commands(docker).at(-1), { timeout: 5000 }).toBe('down --volumes --remove-orphans');
  await expect.poll(() => docker.running()).toEqual([]);
});
