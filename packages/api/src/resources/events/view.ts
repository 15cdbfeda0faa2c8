import type { Action, Area } from '@magpie/access';
import type { Position, StoredEvent } from '@magpie/bus';
import {
  type AddressBook,
  type EventJson,
  type EventKind,
  eventToJson,
  jsonTextOr,
  placeholderOf,
  Rejected,
} from '@magpie/contract';
import type { EventFilter, Gateway } from '@magpie/core';
import { DIRECT } from '@magpie/routing';
import { type Caller, connectionOf, permitSomewhere, permitWithin } from '../../http/access/permit.ts';
import { type FieldProblem, invalidField } from '../../http/problems/problem.ts';

/** An event as every answer and frame shows it. */
export interface ShownEvent {
  readonly position: Position;
  readonly event: EventJson;
}

/** The address book for an event: that of its connection, for a direct send that of the target's connection. */
export const bookOf = (gateway: Gateway, event: StoredEvent['event']): AddressBook =>
  gateway.bookOf(connectionOf(event));

/** A stored event in its JSON form. */
export const showEvent = (gateway: Gateway, { position, event }: StoredEvent): ShownEvent => ({
  position,
  event: eventToJson(event, bookOf(gateway, event)),
});

/** The JSON text of a stored event. Never throws: an event that cannot be written is a placeholder. */
export const eventText = (gateway: Gateway, stored: StoredEvent): string =>
  jsonTextOr(showEvent(gateway, stored), (reason) => ({
    position: stored.position,
    event: placeholderOf(stored.event, bookOf(gateway, stored.event), reason),
  }));

/**
 * The JSON text of a stored event with a `bodyUrl` instead of its body, for readers with a size limit. A placeholder
 * when even that has more than `most` bytes.
 */
export function eventReference(gateway: Gateway, stored: StoredEvent, most: number, basePath = ''): string {
  const { position, event } = stored;
  const book = bookOf(gateway, event);
  const { payload: _, text: __, base64: ___, ...rest } = eventToJson({ ...event, body: NOTHING }, book);
  const place = { bodyUrl: `${basePath}/v1/messages/${event.ref}/body`, bytes: event.body.byteLength };
  const reason = (why: string) => ({ position, event: { ...placeholderOf(event, book, why), ...place } });
  const written = jsonTextOr({ position, event: { ...rest, ...place } }, reason);
  return Buffer.byteLength(written) <= most
    ? written
    : JSON.stringify(reason('too large for a frame without its body'));
}

const NOTHING = new Uint8Array();

/** The texts of stored events, each made on demand. */
export function* eventTexts(gateway: Gateway, events: readonly StoredEvent[]): Generator<string> {
  for (const stored of events) yield eventText(gateway, stored);
}

/** The conditions of a query or subscription. */
export interface Selection {
  readonly connection?: string | undefined;
  readonly address?: string | undefined;
  readonly kinds?: readonly EventKind[] | undefined;
}

/** A selection as a filter of the core. Throws `Problem` 400 for an unknown connection or an invalid address. */
export function filterOf(gateway: Gateway, selection: Selection, part: FieldProblem['in']): EventFilter {
  const { connection, address, kinds } = selection;
  return {
    ...(connection === undefined ? {} : { connection }),
    ...(address === undefined ? {} : { pattern: patternOf(gateway, address, connection, part) }),
    ...(kinds === undefined ? {} : { kinds }),
  };
}

/** Where the events of a filter are. Direct sends go to every connection. */
const areaOf = ({ connection, pattern }: EventFilter): Area => ({
  connection: connection === DIRECT ? undefined : connection,
  pattern,
});

/**
 * A selection as a filter, for a caller that may do `action` in all of it. Throws `Problem`: 403 when it may not, 400 as
 * `filterOf` does.
 */
export function permittedFilter(
  gateway: Gateway,
  caller: Caller,
  action: Action,
  selection: Selection,
  part: FieldProblem['in'],
): EventFilter {
  const { connection } = selection;
  if (connection !== undefined) permitSomewhere(caller, action, connection);
  const filter = filterOf(gateway, selection, part);
  permitWithin(caller, action, areaOf(filter));
  return filter;
}

function patternOf(gateway: Gateway, address: string, connection: string | undefined, part: FieldProblem['in']) {
  try {
    return gateway.pattern(address, connection);
  } catch (error) {
    if (error instanceof Rejected) throw invalidField(part, '/address', error.message);
    throw error;
  }
}

/**
 * A position from text. Throws `Problem` 400 naming the field when it is not a position of this log, for example after
 * a restore.
 */
export function positionOf(gateway: Gateway, text: string, part: FieldProblem['in'], pointer: string): Position {
  const position = gateway.parsePosition(text);
  if (position) return position;
  const detail = `expected a position of this log, as in an event, got "${text}"; start at "earliest" to read everything that is kept`;
  throw invalidField(part, pointer, detail);
}
