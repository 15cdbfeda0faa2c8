/**
 * Stands in for the program `docker`: records its calls in `calls` of the folder FAKE_DOCKER, and answers as FAKE_MODE
 * says. `compose up` starts servers that greet as the three brokers do, `compose down` ends them.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const { FAKE_DOCKER: folder = '.', FAKE_MODE: mode = 'works', ...env } = process.env;
const words = process.argv.slice(2);
const project = words[words.indexOf('-p') + 1];
/** Of the servers of this project. */
const pidFile = join(folder, `${project}.pid`);

/** What the brokers say to a first client: MQTT CONNACK, AMQP Connection.Start, XMPP stream features. */
const GREETINGS = [
  [env.MAGPIE_MQTT_PORT, Buffer.from([0x20, 2, 0, 0])],
  [env.MAGPIE_AMQP_PORT, Buffer.from([1, 0, 0, 0, 0, 0, 9, 0, 10, 0, 10])],
  [env.MAGPIE_XMPP_PORT, Buffer.from('<stream:features/>')],
  [env.MAGPIE_COMPONENT_PORT, Buffer.from('<stream:stream>')],
] as const;

function serve(): void {
  for (const [port, greeting] of mode === 'silent' ? GREETINGS.slice(0, 1) : GREETINGS) {
    createServer((socket) => {
      socket.on('error', () => undefined); // A probe that has seen enough.
      socket.once('data', () => socket.write(greeting));
    }).listen(Number(port), '127.0.0.1');
  }
}

function up(): void {
  const { execPath, argv } = process;
  const server = spawn(execPath, [argv[1] ?? '', 'serve'], { detached: true, stdio: 'ignore', env: process.env });
  server.unref();
  writeFileSync(pidFile, `${server.pid}`);
}

function down(): void {
  if (!existsSync(pidFile)) return;
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  rmSync(pidFile);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** How a mode answers the call with this word. */
const FAILURES: Readonly<Record<string, readonly [word: string, message: string]>> = {
  'no-engine': ['version', 'Cannot connect to the Docker daemon.'],
  'no-compose': ['--short', 'unknown flag: --short\n\nUsage: docker'],
  'no-image': ['up', 'pull access denied'],
  'no-register': ['register', 'prosodyctl: no such host'],
};

function answer(): void {
  const [word, message] = FAILURES[mode] ?? [];
  if (word !== undefined && words.includes(word)) fail(`${message}`);
  if (words.includes('up')) up();
  if (words.includes('down')) down();
}

if (words[0] === 'serve') {
  serve();
} else {
  appendFileSync(
    join(folder, 'calls'),
    `${JSON.stringify({ words, user: env.MAGPIE_USER, tls: env.MAGPIE_TLS_DIR })}\n`,
  );
  answer();
}
