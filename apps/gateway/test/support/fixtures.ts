import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MemoryBroker, memoryBroker } from '@magpie/adapter-memory';
import { createLineLogger, type Logger, newRef } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { onTestFinished } from 'vitest';
import { ADAPTERS } from '../../src/adapters.ts';
import { compileFile } from '../../src/config/compile.ts';
import type { Reloader } from '../../src/reload/reloader.ts';
import { type Assembled, assemble } from '../../src/runtime/assemble.ts';

/** A directory that is gone when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'magpie-gateway-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes a file into a fresh directory; gives its path. */
export function fileWith(text: string, name = 'magpie.yaml'): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, text, { mode: 0o600 }); // Files of tests hold passwords, and a readable one is warned of.
  return path;
}

/** A route from topics of the API to a channel, as lines of YAML. */
export const route = (name: string, channel: string, extra = ''): string =>
  `  ${name}: { from: { connection: http, topic: "${name}/#" }, to: [{ connection: floor, channel: "${channel}"${extra} }] }`;

/** A configuration with a connection `floor` to the in-memory broker of that name; sections are lines of YAML. */
export const configuration = (
  broker: string,
  routes: readonly string[],
  {
    connections = [],
    gateway = 'id: test',
    http = 'port: 0',
  }: { connections?: readonly string[]; gateway?: string; http?: string } = {},
): string =>
  [
    'version: 1',
    `gateway: { ${gateway} }`,
    `http: { ${http} }`,
    'connections:',
    `  floor: { type: memory, broker: ${broker} }`,
    ...connections,
    ...(routes.length > 0 ? ['routes:', ...routes] : []),
    '',
  ].join('\n');

/** A gateway on a configuration file, with its in-memory broker. */
export interface World extends Assembled {
  readonly reloader: Reloader;
  readonly url: string;
  readonly path: string;
  readonly broker: MemoryBroker;
  /** What it has logged, as `level message`. */
  readonly logged: readonly string[];
  /** How often its configuration was loaded, the first time included. */
  loads(): number;
  /** Replaces the file by one with other routes and, when given, other sections. */
  rewrite(routes: readonly string[], sections?: Parameters<typeof configuration>[2]): void;
}

/** Starts a gateway with the real log on these routes; it ends with the test. */
export async function startWorld(
  routes: readonly string[],
  sections?: Parameters<typeof configuration>[2],
): Promise<World> {
  const name = newRef();
  const path = fileWith(configuration(name, routes, sections));
  const { logger, logged } = collectingLogger();
  let loads = 0;
  const load = (gatewayId?: string) => {
    loads += 1;
    return compileFile(ADAPTERS, { path, ...(gatewayId === undefined ? {} : { gatewayId }) });
  };
  const first = load();
  const { config, routes: compiled, book } = first;
  if (!config || !compiled) throw new Error(JSON.stringify(first.problems));
  const onFatal = (error: Error): never => {
    throw error;
  };
  const loading = { first, load };
  const assembled = await assemble({ config, routes: compiled, book, logger, onFatal, loading });
  onTestFinished(() => assembled.stop(1000));
  const url = await assembled.start();
  await waitFor(() => assembled.gateway.connections().every(({ state }) => state === 'up'), { what: 'connections' });
  const { reloader } = assembled;
  if (!reloader) throw new Error('the gateway has no reloader');
  const rewrite: World['rewrite'] = (wanted, others = sections) =>
    writeFileSync(path, configuration(name, wanted, others));
  return { ...assembled, reloader, url, path, broker: memoryBroker(name), logged, loads: () => loads, rewrite };
}

function collectingLogger(): { logger: Logger; logged: string[] } {
  const logged: string[] = [];
  return { logger: createLineLogger((level, _, message) => void logged.push(`${level} ${message}`)), logged };
}

/** Publishes a text to a topic of a gateway; resolves to the ref. */
export async function publish({ api }: Assembled, topic: string, text: string): Promise<string> {
  const response = await api.app.inject({ method: 'POST', url: '/v1/messages', payload: { topic, text } });
  if (response.statusCode !== 202) throw new Error(response.body);
  return response.json().ref;
}

/** Texts that have arrived on a channel, in order. */
export const arrived = ({ seen }: MemoryBroker, channel: string): readonly string[] =>
  seen.filter((message) => message.channel === channel).map(({ body }) => Buffer.from(body).toString());
