import {
  type AddressBook,
  decodeText,
  type Event,
  type HeaderValue,
  parseJsonBody,
  whyNotJson,
} from '@magpie/contract';
import { expressible, mayNeedMaps } from './expression/expressible.ts';
import { expressionNumber } from './expression/numbers.ts';

/** The parts of an event that expressions see, parsed at most once per event however many routes look at it. */
export interface EventView {
  /**
   * The parsed JSON body, with numbers that no double holds as `bigint` or `JsonNumber`; null when the body is not JSON.
   */
  readonly payload: unknown;
  /** The same with doubles in the place of all numbers, for schemas; the payload itself when all of them are doubles. */
  readonly $rounded: unknown;
  /** Whether `payload` is the body, rather than null for lack of JSON. No capture can have such a name. */
  readonly $hasPayload: boolean;
  /** Whether objects of `payload` may have a key that expressions cannot be given as it is. */
  readonly $needsMaps: boolean;
  /** Why `payload` is null, for messages. */
  readonly $whyNoPayload: string;
  /** The body as text; undefined when it is neither UTF-8 nor in the charset that it declares. */
  readonly text: string | undefined;
  readonly headers: Readonly<Record<string, HeaderValue>>;
  readonly headersAll: Readonly<Record<string, readonly HeaderValue[]>>;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Views with something parsed, for as long as their events live: they are looked at again when a target renders. */
const parsed = new WeakMap<Event, View>();

/** The view asked for last: all routes look at one event before the next. */
let latest: View | undefined;

/** The view of an event. Called per event and route that has expressions; cheap until something is parsed. */
export function viewOf(event: Event, book: AddressBook): EventView {
  if (latest?.$state.event !== event) latest = parsed.get(event) ?? new View(event, book);
  return latest;
}

/** The parts of an event that are already parsed. */
interface ViewState {
  readonly view: View;
  readonly event: Event;
  readonly book: AddressBook;
  body: { readonly value: unknown; readonly isExact: boolean; readonly needsMaps: boolean } | undefined;
  text: { readonly value: string | undefined } | undefined;
  headers: EventView['headers'] | undefined;
  headersAll: EventView['headersAll'] | undefined;
  fields: EventView['event'] | undefined;
}

/** Parses what is asked for, once. */
class View implements EventView {
  readonly $state: ViewState;

  constructor(event: Event, book: AddressBook) {
    const nothing = { body: undefined, text: undefined, headers: undefined, headersAll: undefined, fields: undefined };
    this.$state = { view: this, event, book, ...nothing };
  }

  get payload(): unknown {
    return parsedBody(this.$state).value ?? null;
  }

  get $rounded(): unknown {
    if (parsedBody(this.$state).isExact) return this.payload;
    const { body, contentType } = this.$state.event;
    return parseJsonBody(body, contentType, Number);
  }

  get $hasPayload(): boolean {
    return parsedBody(this.$state).value !== undefined;
  }

  get $needsMaps(): boolean {
    return parsedBody(this.$state).needsMaps;
  }

  get $whyNoPayload(): string {
    const { body, contentType } = this.$state.event;
    return whyNotJson(body, contentType);
  }

  get text(): string | undefined {
    const state = this.$state;
    if (state.text === undefined) {
      const { body, contentType } = kept(state);
      state.text = { value: decodeText(body, contentType) };
    }
    return state.text.value;
  }

  get headers(): EventView['headers'] {
    const state = this.$state;
    state.headers ??= lastOfEach(kept(state).headers);
    return state.headers;
  }

  get headersAll(): EventView['headersAll'] {
    const state = this.$state;
    state.headersAll ??= allOfEach(kept(state).headers);
    return state.headersAll;
  }

  get event(): EventView['event'] {
    const state = this.$state;
    state.fields ??= eventFields(kept(state), state.book);
    return state.fields;
  }
}

/**
 * The variables of one route for one event: captures, `origin` and `let` values as own properties, the rest through the view.
 * No scope inherits from a view: V8 gives an object that others inherit from a hidden class of its own, which is slow to read.
 */
export class EventScope {
  readonly [name: string]: unknown;
  readonly #view: EventView;
  readonly #convert: ((payload: unknown) => unknown) | undefined;
  #converted: { readonly payload: unknown } | undefined;

  /** `convert` makes of the payload what the route's schema says. */
  constructor(view: EventView, convert: ((payload: unknown) => unknown) | undefined) {
    this.#view = view;
    this.#convert = convert;
  }

  get payload(): unknown {
    if (this.#convert === undefined && !this.#view.$needsMaps) return this.#view.payload;
    this.#converted ??= { payload: this.#expressiblePayload() };
    return this.#converted.payload;
  }

  #expressiblePayload(): unknown {
    const { payload, $needsMaps } = this.#view;
    const converted = this.#convert === undefined ? payload : this.#convert(payload);
    return $needsMaps ? expressible(converted) : converted;
  }

  get $hasPayload(): boolean {
    return this.#view.$hasPayload;
  }

  get $whyNoPayload(): string {
    return this.#view.$whyNoPayload;
  }

  get text(): string | undefined {
    return this.#view.text;
  }

  get headers(): EventView['headers'] {
    return this.#view.headers;
  }

  get headersAll(): EventView['headersAll'] {
    return this.#view.headersAll;
  }

  get event(): EventView['event'] {
    return this.#view.event;
  }
}

function parsedBody(state: ViewState): NonNullable<ViewState['body']> {
  if (state.body === undefined) {
    const { body, contentType } = kept(state);
    let isExact = true;
    const value = parseJsonBody(body, contentType, (digits) => {
      isExact = false;
      return expressionNumber(digits);
    });
    state.body = { value, isExact, needsMaps: mayNeedMaps(body) };
  }
  return state.body;
}

/** The event of a view; from now on the view is kept for it. */
function kept({ event, view }: ViewState): Event {
  if (parsed.get(event) !== view) parsed.set(event, view);
  return event;
}

/** Without a prototype: header names come from outside and may be `__proto__`. */
function lastOfEach(headers: Event['headers']): Record<string, HeaderValue> {
  const last: Record<string, HeaderValue> = Object.create(null);
  for (const [name, value] of headers) last[name] = value;
  return named(last);
}

function allOfEach(headers: Event['headers']): Record<string, HeaderValue[]> {
  const all: Record<string, HeaderValue[]> = Object.create(null);
  for (const [name, value] of headers) {
    const values = all[name] ?? [];
    values.push(value);
    all[name] = values;
  }
  return named(all);
}

/** Headers by name as expressions take them. */
const named = <Value>(headers: Record<string, Value>): Record<string, Value> =>
  'constructor' in headers ? (expressible(headers) as Record<string, Value>) : headers; // Only expressions look at them.

function eventFields(event: Event, book: AddressBook): Record<string, unknown> {
  const { ref, id, source, address, kind, type, subject, key, contentType, contentEncoding, correlationId } = event;
  return {
    ...{ ref, id, source, kind, type, subject, key, contentType, contentEncoding, correlationId },
    address: book.format(address),
    scheme: address.scheme,
    segments: address.segments,
    time: new Date(event.time),
    receivedAt: new Date(event.receivedAt),
    expiresAt: event.expiresAt === undefined ? undefined : new Date(event.expiresAt),
    replyTo: event.replyTo === undefined ? undefined : book.format(event.replyTo),
    priority: event.priority === undefined ? undefined : BigInt(event.priority),
    retain: event.retain ?? false,
    redelivered: event.redelivered ?? false,
    via: event.via,
    size: BigInt(event.body.byteLength),
  };
}
