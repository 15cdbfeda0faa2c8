import type { AddressPattern, EventKind, SourceRequest } from '@magpie/contract';
import { didYouMean, oneOf } from '@magpie/schema-messages';
import { capturesOf, compilePattern } from '../address/pattern.ts';
import { compileTextPattern, type TextPattern } from '../address/text-pattern.ts';
import { findPlace, wordsOf } from '../address/words.ts';
import type { Report } from '../report.ts';
import type { ConnectionInfo } from '../types.ts';
import { parseKeys, splitKeys } from './keys.ts';
import { sourceKeys } from './schema.ts';

/** A compiled `from`. */
export interface Source {
  readonly connection: ConnectionInfo;
  readonly kinds: ReadonlySet<EventKind>;
  readonly pattern: AddressPattern;
  readonly text: TextPattern | undefined;
  /** Captures of the address and of the text, by name. */
  readonly captures: ReadonlyMap<string, 'string' | 'list<string>'>;
  /** Captures of the address alone: they are segments of its scheme. */
  readonly addressCaptures: ReadonlyMap<string, 'string' | 'list<string>'>;
  readonly request: SourceRequest;
  /** Whether its events go through the log. */
  readonly logged: boolean;
}

/** All connections by name, the built-in ones included. */
export type Connections = ReadonlyMap<string, ConnectionInfo>;

/** Finds a connection by name; reports the nearest one when there is none. */
export function findConnection(name: unknown, connections: Connections, report: Report): ConnectionInfo | undefined {
  if (typeof name !== 'string') return void report.error('expected "connection", the name of a connection');
  const found = connections.get(name);
  if (found !== undefined) return found;
  const place = report.at('connection');
  if (name.includes('${')) return void place.error('"connection" is always a fixed name, never a template');
  const hint = didYouMean(name, connections.keys()) ?? `the connections are: ${[...connections.keys()].join(', ')}`;
  return void place.error(`there is no connection "${name}"`, { hint });
}

/** Compiles `from`; undefined after reporting. */
export function compileSource(
  raw: Readonly<Record<string, unknown>>,
  connections: Connections,
  report: Report,
): Source | undefined {
  const connection = findConnection(raw.connection, connections, report);
  if (connection === undefined) return undefined;
  const { adapter, config, name } = connection;
  if (!adapter.capabilities(config).receives) {
    return void report.at('connection').error(`connection "${name}" cannot receive`);
  }
  const { common, native } = splitKeys(raw, sourceKeys, adapter.sourceSchema, report);
  const keys = parseKeys(sourceKeys, common, report);
  const request = compileRequest(connection, native, report);
  const text = keys?.text === undefined ? undefined : compileTextPattern(keys.text, report.at('text'), keys.ignoreCase);
  if (keys?.ignoreCase === true && keys.text === undefined)
    report.at('ignoreCase').error('"ignoreCase" is for a source with a text pattern', { atKey: true });
  if (keys === undefined || request === undefined || (keys.text !== undefined && text === undefined)) return undefined;
  const captures = collectCaptures(request.pattern, text, report);
  if (captures === undefined) return undefined;
  const kinds = new Set(Array.isArray(keys.kind) ? keys.kind : [keys.kind]);
  if (!receivesKinds(connection, kinds, report.at('kind'))) return undefined;
  const objection = adapter.objections?.source?.(config, request.options, kinds);
  if (objection !== undefined) return void report.error(objection);
  const addressCaptures = new Map(capturesOf(request.pattern));
  const logged = keys.durability === 'log';
  const wanted = { ...request, kinds: [...kinds] };
  return { connection, kinds, pattern: request.pattern, text, captures, addressCaptures, request: wanted, logged };
}

/** The name of the place that a source receives from, where the gateway can hold it back by itself. */
export const placeOf = ({ connection: { adapter, config }, request }: Pick<Source, 'connection' | 'request'>) =>
  adapter.capabilities(config).holdsPerPlace === true ? adapter.placeOf?.(request.options) : undefined;

/** What a source takes, where the gateway can hold back each message by itself. */
export const heldPattern = ({ connection: { adapter, config }, pattern }: Pick<Source, 'connection' | 'pattern'>) =>
  adapter.capabilities(config).holdsPerMessage === true ? pattern : undefined;

/** Whether the protocol of a connection makes events of these kinds; reports those it never makes. */
function receivesKinds({ name, adapter }: ConnectionInfo, kinds: ReadonlySet<EventKind>, report: Report): boolean {
  const never = [...kinds].filter((kind) => !adapter.kinds.includes(kind));
  if (never.length === 0) return true;
  const message = `connection "${name}" of type ${adapter.type} never receives an event of kind ${oneOf(never)}`;
  report.error(message, { hint: `it receives events of kind ${oneOf(adapter.kinds)}` });
  return false;
}

/** Native words and options of one place to receive from, as in a route's `from` or a connection's `subscribe`. */
export function compileRequest(
  { adapter }: ConnectionInfo,
  native: Readonly<Record<string, unknown>>,
  report: Report,
): SourceRequest | undefined {
  const options = parseKeys(adapter.sourceSchema, native, report);
  const place = findPlace(adapter, native, report);
  const pattern = place && compilePattern(place, report);
  return pattern === undefined || options === undefined ? undefined : { pattern, options };
}

function collectCaptures(
  pattern: AddressPattern,
  text: TextPattern | undefined,
  report: Report,
): Map<string, 'string' | 'list<string>'> | undefined {
  const captures = new Map<string, 'string' | 'list<string>'>();
  const all = [...capturesOf(pattern), ...(text?.captures ?? []).map((name) => [name, 'string'] as const)];
  for (const [name, type] of all) {
    if (captures.has(name))
      return void report.error(`the name "${name}" is captured twice`, { hint: 'give one of them another name' });
    captures.set(name, type);
  }
  return captures;
}

/** The requests of a connection, each place once: capture names and the wording of the address do not make a difference. */
export function mergeRequests(connection: ConnectionInfo, requests: Iterable<SourceRequest>): readonly SourceRequest[] {
  const words = new Set(wordsOf(connection.adapter));
  const merged = new Map<string, SourceRequest>();
  const usual: readonly EventKind[] = ['message'];
  for (const { pattern, options, kinds = usual, terms } of requests) {
    const anonymous: AddressPattern = {
      scheme: pattern.scheme,
      segments: pattern.segments.map((segment) => (segment.type === 'literal' ? segment : { type: segment.type })),
    };
    const identity = JSON.stringify([anonymous, sortedOptions(options, words)]);
    const known = merged.get(identity);
    const all = [...new Set([...(known?.kinds ?? []), ...kinds])].sort();
    const said = known?.terms ?? terms;
    const first = { options: known?.options ?? options, ...(said === undefined ? {} : { terms: said }) };
    merged.set(identity, { pattern: anonymous, kinds: all, ...first });
  }
  return [...merged.values()];
}

const sortedOptions = (options: unknown, words: ReadonlySet<string>): unknown =>
  Object.entries(Object(options))
    .filter(([key]) => !words.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
