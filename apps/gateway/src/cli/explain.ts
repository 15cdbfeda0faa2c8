import { renderProblems } from '@magpie/config';
import { type AddressBook, type Event, encodeBody, newRef, parseJsonBody, showBody } from '@magpie/contract';
import type { ConnectionInfo, Explanation } from '@magpie/routing';
import type { Command } from 'commander';
import { ADAPTERS } from '../adapters.ts';
import { compileFile, connectionMap } from '../compile.ts';
import { fail } from './fail.ts';

interface ExplainOptions {
  readonly config: string;
  readonly kind: string;
  readonly origin?: string;
}

/** `magpie explain`: what the routes would do with a message, and why. */
export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('show which routes match a message, why the others do not, and what each target would get')
    .argument('<connection>', 'the connection it comes from, for example floor')
    .argument('<address>', 'where it comes from, in the words of the protocol, for example plant/p7/alarm')
    .argument('[body]', 'JSON or text', '')
    .requiredOption('-c, --config <file>', 'configuration file')
    .option('--kind <kind>', 'message, presence, status, receipt or reply', 'message')
    .option('--origin <json>', 'protocol facts, for example \'{"affiliation":"member"}\'')
    .action(explain);
}

function explain(connection: string, address: string, body: string, options: ExplainOptions): void {
  const { config, routes, book, problems, source } = compileFile(ADAPTERS, { path: options.config });
  if (!config || !routes) fail(`${renderProblems(problems, source)}\n${options.config} cannot be used`);
  const connections = connectionMap(config);
  const info = connections.get(connection);
  if (!info) fail(`unknown connection "${connection}": expected one of ${[...connections.keys()].join(', ')}`);
  const event = givenEvent(info, address, body, options, book);
  process.stdout.write(
    routes
      .explain(event)
      .map((each) => show(each, book))
      .join('\n'),
  );
}

function givenEvent(
  info: ConnectionInfo,
  address: string,
  body: string,
  { kind, origin }: ExplainOptions,
  book: AddressBook,
): Event {
  const place = addressOf(info, address);
  const json = parseJsonBody(Buffer.from(body), undefined);
  const encoded = encodeBody(json === undefined ? { text: body } : { payload: json })!;
  const now = Date.now();
  return {
    ref: newRef(),
    source: info.name,
    address: place,
    kind: kind as Event['kind'],
    key: book.format(place),
    time: now,
    receivedAt: now,
    headers: [],
    via: [],
    origin: origin === undefined ? {} : JSON.parse(origin),
    ...encoded,
  };
}

/** `scheme:value`, or the value of the connection's first scheme. */
function addressOf(info: ConnectionInfo, text: string): Event['address'] {
  const named = info.adapter.addresses.find(({ scheme }) => text.startsWith(`${scheme}:`));
  const scheme = named ?? info.adapter.addresses[0]!;
  return { scheme: scheme.scheme, segments: scheme.parse(named ? text.slice(scheme.scheme.length + 1) : text) };
}

function show({ route, matched, reason, captures, targets }: Explanation, book: AddressBook): string {
  const lines = [`${matched ? '✔' : '✘'} ${route}: ${reason}`];
  const names = Object.entries(captures).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  if (names.length > 0) lines.push(`    captures: ${names.join(', ')}`);
  for (const { consumer, rendered, error } of targets) {
    lines.push(`    → ${consumer.slice(route.length + 1)}`);
    if (error !== undefined) lines.push(`      error: ${error}`);
    if (!rendered) continue;
    const { parts, target } = rendered;
    lines.push(`      address: ${book.format(target.address)}`);
    for (const [form, value] of Object.entries(showBody(parts.body, parts.contentType))) {
      lines.push(`      ${form}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
    }
    for (const [name, value] of parts.headers) lines.push(`      header ${name}: ${String(value)}`);
  }
  return `${lines.join('\n')}\n`;
}
