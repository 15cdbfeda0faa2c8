import { type AddressBook, decodeUtf8, type Event, type HeaderValue, parseJsonBody } from '@magpie/contract';

/** The parts of an event that expressions see, parsed at most once per event however many routes look at it. */
export interface EventView {
  /** The parsed JSON body; null when the body is not JSON. */
  readonly payload: unknown;
  /** Whether `payload` is the body, rather than null for lack of JSON. No capture can have such a name. */
  readonly $hasPayload: boolean;
  /** The body as text; undefined when it is not UTF-8. */
  readonly text: string | undefined;
  readonly headers: Readonly<Record<string, HeaderValue>>;
  readonly headersAll: Readonly<Record<string, readonly HeaderValue[]>>;
  readonly event: Readonly<Record<string, unknown>>;
}

const views = new WeakMap<Event, EventView>();

/** The view of an event; cached for as long as the event object lives. */
export function viewOf(event: Event, book: AddressBook): EventView {
  const known = views.get(event);
  if (known !== undefined) return known;
  const view: EventView = Object.create(PARTS, { $state: { value: { event, book } } });
  views.set(event, view);
  return view;
}

/** What of an event has been parsed so far; filled by the getters below. */
interface ViewState {
  readonly event: Event;
  readonly book: AddressBook;
  parsed?: { readonly value: unknown };
  text?: { readonly value: string | undefined };
  headers?: EventView['headers'];
  headersAll?: EventView['headersAll'];
  fields?: EventView['event'];
}

/**
 * The getters all views share: a view is made per event, and making closures for each would cost more than matching it.
 * Scopes inherit from views, so the state is found through `this` wherever it is.
 */
const PARTS: EventView & ThisType<{ readonly $state: ViewState }> = {
  get payload() {
    return parsedBody(this.$state) ?? null;
  },
  get $hasPayload() {
    return parsedBody(this.$state) !== undefined;
  },
  get text() {
    const state = this.$state;
    state.text ??= { value: decodeUtf8(state.event.body) };
    return state.text.value;
  },
  get headers() {
    const state = this.$state;
    state.headers ??= lastOfEach(state.event.headers);
    return state.headers;
  },
  get headersAll() {
    const state = this.$state;
    state.headersAll ??= allOfEach(state.event.headers);
    return state.headersAll;
  },
  get event() {
    const state = this.$state;
    state.fields ??= eventFields(state.event, state.book);
    return state.fields;
  },
};

function parsedBody(state: ViewState): unknown {
  const { body, contentType } = state.event;
  state.parsed ??= { value: parseJsonBody(body, contentType) };
  return state.parsed.value;
}

/** Without a prototype: header names come from outside and may be `__proto__`. */
function lastOfEach(headers: Event['headers']): Record<string, HeaderValue> {
  const last: Record<string, HeaderValue> = Object.create(null);
  for (const [name, value] of headers) last[name] = value;
  return last;
}

function allOfEach(headers: Event['headers']): Record<string, HeaderValue[]> {
  const all: Record<string, HeaderValue[]> = Object.create(null);
  for (const [name, value] of headers) {
    const values = all[name] ?? [];
    values.push(value);
    all[name] = values;
  }
  return all;
}

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
