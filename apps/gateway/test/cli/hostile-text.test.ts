import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { ANSWERS } from '@magpie/api';
import { type JsonSchema, jsonSchemaOf } from '@magpie/schema-messages';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { finish } from '../../src/cli/output/fail.ts';
import { createProgram } from '../../src/cli/program.ts';
import { fileWith } from '../support/fixtures.ts';

/** What others may write into a message, a name or an error: each would do something to a terminal. */
const CORPUS = {
  'a colour and a cleared screen': '\u001b[31m\u001b[2J',
  'a window title': '\u001b]0;owned\u0007',
  'controls of one byte': '\u009b2J\u0090\u0085',
  'an overwritten line': 'bad\rgood\b\b\u007f',
  'a line of its own': '\nmagpie: all is well\u2028\u2029',
  'a turned direction': '\u202egnp.exe\u2066\u200f',
  'nothing to see': '\u200b\ufeff\u00ad\u{e0041}',
  'half a character': '\ud800',
} as const;

/** Anything of the kind but the line breaks and tabs of our own layout. */
const RAW = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** An answer of a schema with the text wherever one may stand. */
function hostile(schema: JsonSchema & { readonly prefixItems?: readonly JsonSchema[] }, text: string): unknown {
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (choice) return hostile(choice, text);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.prefixItems) return schema.prefixItems.map((item) => hostile(item, text));
  if (schema.type === 'array') return [hostile(schema.items ?? {}, text)];
  if (schema.type === 'boolean') return true;
  if (schema.type === 'integer' || schema.type === 'number') return 1;
  if (schema.type !== 'object') return text;
  const own = Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, hostile(inner, text)] as const);
  const other =
    typeof schema.additionalProperties === 'object' ? [[text, hostile(schema.additionalProperties, text)]] : [];
  return Object.fromEntries([...own, ...other]);
}

/** The answer to a call, as JSON. */
function answerTo(method: string, path: string, text: string): string {
  const of = (name: keyof typeof ANSWERS): object => Object(hostile(jsonSchemaOf(ANSWERS[name]), text));
  const one = /^\/v1\/dead-letters\/[^/?]+/.test(path);
  const body = ((): object => {
    if (path.startsWith('/v1/messages')) return of(method === 'POST' ? 'accepted' : 'message');
    if (path.startsWith('/v1/config')) return of('reload');
    if (path.startsWith('/v1/targets')) return of(method === 'POST' ? 'decided' : 'targets');
    if (path.startsWith('/v1/dead-letters/drop')) return of('dropped');
    if (path.startsWith('/v1/dead-letters/retry')) return of('retrying');
    if (one) return of(method === 'POST' ? 'retried' : 'deadLetter');
    return { ...of('deadLetters'), next: undefined };
  })();
  return JSON.stringify(body);
}

/** What the gateway answers now: as it should, with a problem, or something else altogether. */
let mode: 'answer' | 'problem' | 'noise' = 'answer';
let text = '';

const server = createServer(({ method = '', url = '' }, response) => {
  const problem = {
    title: text,
    detail: text,
    errors: [{ pointer: text, detail: text }],
    problems: [{ file: text, line: 1, column: 1, message: text }],
  };
  const body = mode === 'answer' ? answerTo(method, url, text) : mode === 'problem' ? JSON.stringify(problem) : text;
  response.writeHead(mode === 'answer' ? 200 : 422, { 'content-type': 'application/json' }).end(body);
});
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  if (mode !== 'answer') return socket.end(`HTTP/1.1 422 no\r\nconnection: close\r\n\r\n${text}`);
  sockets.handleUpgrade(request, socket, head, (client) => {
    const send = (frame: object): void => client.send(JSON.stringify(frame));
    client.on('message', () => {
      const event = hostile(jsonSchemaOf(ANSWERS.message).properties?.event ?? {}, text);
      send({ type: 'subscribed', id: 'tail', position: null });
      send({ type: 'events', id: 'tail', events: [{ position: text, event }] });
      send({ type: 'error', id: 'tail', status: 400, title: text, detail: text });
    });
  });
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** A configuration with the text as name, value, address and word of a test. */
function file(): string {
  const quoted = JSON.stringify(text.toWellFormed());
  return fileWith(`version: 1
gateway: { id: ${quoted} }
connections:
  floor: { type: memory }
  ${quoted}: { type: memory }
  c: { type: ${quoted}, ${quoted}: 1 }
routes:
  a: { from: { connection: floor, channel: ${quoted} }, when: ${quoted}, to: { connection: ${quoted}, channel: a } }
`);
}

/** A valid one with the text in what a route sends. */
function validFile(): string {
  const quoted = JSON.stringify(text.toWellFormed());
  return fileWith(`version: 1
gateway: { id: a }
connections: { floor: { type: memory } }
routes:
  a:
    from: { connection: floor, channel: "in/{x}" }
    to: { connection: floor, channel: "out/\${x}", text: ${quoted}, headers: { h: ${quoted} } }
    tests: [{ given: { channel: in/a, text: a }, expect: [{ connection: floor, text: b }] }]
`);
}

/** Every command with arguments that make it show foreign text. */
const COMMANDS: Readonly<Record<string, () => readonly (readonly string[])[]>> = {
  run: () => [['-c', file()]],
  reload: () => [
    ['--url', url],
    ['--url', url, '--json'],
  ],
  check: () => [[file()], ['--json', file()], ['--junit', file()], [validFile()], ['--junit', validFile()]],
  explain: () => [
    ['-c', file(), 'floor', 'in/a'],
    ['-c', validFile(), 'floor', `in/${text}`, text],
    ['-c', validFile(), text, text],
    ['-c', validFile(), 'floor', 'in/a', '--origin', text],
  ],
  publish: () => [
    ['--url', url, 'a', text],
    ['--url', url, '--to', text, text, text],
  ],
  tail: () => [
    ['--url', url],
    ['--url', url, '--json'],
  ],
  trace: () => [
    ['--url', url, text],
    ['--url', url, text, '--json'],
  ],
  'targets list': () => [
    ['--url', url],
    ['--url', url, '--json'],
  ],
  'targets retry': () => [['--url', url, text]],
  'targets give-up': () => [['--url', url, text]],
  'targets drop': () => [['--url', url, text]],
  'dead-letters list': () => [
    ['--url', url],
    ['--url', url, '--json'],
    ['--url', url, '--limit', text],
  ],
  'dead-letters show': () => [
    ['--url', url, 'x'],
    ['--url', url, 'x', '--json'],
  ],
  'dead-letters retry': () => [
    ['--url', url, 'x'],
    ['--url', url, '--all'],
    ['--url', url, 'x', '--payload', text],
  ],
  'dead-letters drop': () => [
    ['--url', url, 'x'],
    ['--url', url, '--all'],
    ['--url', url, '--since', text],
  ],
  cert: () => [
    ['--host', text],
    ['--host', 'a', '--days', text],
    ['--host', 'a', '--out', join(dirname(fileWith('')), `${text}x`)],
  ],
  'key new': () => [[text], ['a', '--role', text]],
};

/** The names of all commands that do something. */
const namesOf = (command: Command, prefix = ''): readonly string[] =>
  command.commands.length === 0
    ? [prefix]
    : command.commands.flatMap((inner) => namesOf(inner, `${prefix} ${inner.name()}`.trim()));

class Exit extends Error {}

/** Runs a command as the process would; resolves to all it wrote. */
async function output(...args: readonly string[]): Promise<string> {
  const written: string[] = [];
  const write = (chunk: unknown): boolean => written.push(String(chunk)) > 0;
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(write),
    vi.spyOn(process.stderr, 'write').mockImplementation(write),
    vi.spyOn(process, 'exit').mockImplementation(() => {
      throw new Exit();
    }),
  ];
  const before = process.exitCode;
  await finish(createProgram().parseAsync(args, { from: 'user' })).catch((error: unknown) => {
    if (!(error instanceof Exit)) throw error;
  });
  process.exitCode = before;
  for (const spy of spies) spy.mockRestore();
  return written.join('');
}

it('every command is shown hostile text here', () => {
  expect(Object.keys(COMMANDS).toSorted()).toEqual(namesOf(createProgram()).toSorted());
});

describe.each(Object.entries(CORPUS))('%s', (_, hostileText) => {
  it.each(Object.keys(COMMANDS))('does nothing to the terminal when magpie %s shows it', async (name) => {
    text = hostileText;
    for (mode of ['answer', 'problem', 'noise'] as const) {
      for (const args of COMMANDS[name]!()) {
        const written = await output(...name.split(' '), ...args);
        expect(written).not.toBe('');
        expect(RAW.exec(written), `${mode}: ${args.join(' ')}: ${JSON.stringify(written)}`).toBeNull();
        expect(written).not.toMatch(/^magpie: all is well/m);
      }
    }
  });
});

it('an unknown option with such a name is refused without it', async () => {
  expect(RAW.exec(await output('tail', '--\u001b[2J'))).toBeNull();
});
