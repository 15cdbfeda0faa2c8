import { renderProblems } from '@magpie/config';
import {
  type AddressBook,
  EVENT_KINDS,
  type Event,
  type EventKind,
  encodeBody,
  errorMessage,
  newRef,
  parseJsonBody,
  showBody,
} from '@magpie/contract';
import type { ConnectionInfo, Explanation } from '@magpie/routing';
import { visible } from '@magpie/schema-messages';
import { type Command, Option } from 'commander';
import { ADAPTERS } from '../../adapters.ts';
import { compileFile, connectionMap } from '../../config/compile.ts';
import { fail } from '../output/fail.ts';
import { print, printError } from '../output/print.ts';

interface ExplainOptions {
  readonly config: string;
  readonly kind: EventKind;
  readonly origin?: string;
}

/** `magpie explain`: shows what the routes would do with a message, and why. */
export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('show which routes match a message, why other routes do not, and what each target would get')
    .argument('<connection>', 'connection the message comes from, for example floor')
    .argument('<address>', 'source address in the form of the protocol, for example plant/p7/alarm')
    .argument('[body]', 'JSON or text', '')
    .requiredOption('-c, --config <file>', 'configuration file')
    .addOption(new Option('--kind <kind>', 'event kind').choices(EVENT_KINDS).default('message'))
    .option('--origin <json>', 'protocol facts, for example \'{"affiliation":"member"}\'')
    .action(explain);
}

function explain(connection: string, address: string, body: string, options: ExplainOptions): void {
  const { config, routes, book, problems, source } = compileFile(ADAPTERS, { path: options.config });
  if (!config || !routes) {
    printError(renderProblems(problems, source));
    fail(`${options.config} has errors (see above); correct them and run the command again`);
  }
  const connections = connectionMap(config);
  const info = connections.get(connection);
  if (!info) fail(`unknown connection "${connection}": expected one of ${[...connections.keys()].join(', ')}`);
  const event = givenEvent(info, address, body, options, book);
  print(
    routes
      .explain(event)
      .map((each) => show(each, (name) => book.forType(connections.get(name)?.adapter.type)))
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
    kind,
    key: book.format(place, info.adapter.type),
    time: now,
    receivedAt: now,
    headers: [],
    via: [],
    origin: originOf(origin),
    ...encoded,
  };
}

/** `scheme:value`, or the value of the connection's first scheme. */
function addressOf(info: ConnectionInfo, text: string): Event['address'] {
  const named = info.adapter.addresses.find(({ scheme }) => text.startsWith(`${scheme}:`));
  const scheme = named ?? info.adapter.addresses[0]!;
  try {
    return { scheme: scheme.scheme, segments: scheme.parse(named ? text.slice(scheme.scheme.length + 1) : text) };
  } catch (error) {
    return fail(`expected an address of connection ${info.name}, got "${text}": ${errorMessage(error)}`);
  }
}

function originOf(json = '{}'): Event['origin'] {
  const facts = parseJsonBody(Buffer.from(json), 'application/json');
  if (isMapping(facts)) return facts;
  return fail(`--origin: expected a JSON object such as '{"affiliation":"member"}', got ${json}`);
}

const isMapping = (value: unknown): value is Event['origin'] =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `bookOf` gives the address book of a connection. */
function show(
  { route, matched, reason, captures, targets }: Explanation,
  bookOf: (connection: string) => AddressBook,
): string {
  const lines = [`${matched ? '✔' : '✘'} ${route}: ${visible(reason)}`];
  const names = Object.entries(captures).map(([name, value]) => visible(`${name} = ${JSON.stringify(value)}`));
  if (names.length > 0) lines.push(`    captures: ${names.join(', ')}`);
  for (const { consumer, connection, rendered, error } of targets) {
    lines.push(`    → ${visible(consumer.slice(route.length + 1))}`);
    if (error !== undefined) lines.push(`      error: ${visible(error)}`);
    if (!rendered) continue;
    const { parts, target } = rendered;
    lines.push(`      address: ${visible(bookOf(connection).format(target.address))}`);
    for (const [form, value] of Object.entries(showBody(parts.body, parts.contentType))) {
      lines.push(`      ${form}: ${visible(typeof value === 'string' ? value : JSON.stringify(value))}`);
    }
    for (const [name, value] of parts.headers) lines.push(visible(`      header ${name}: ${String(value)}`));
  }
  return `${lines.join('\n')}\n`;
}
