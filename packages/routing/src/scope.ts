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
  const view = createView(event, book);
  views.set(event, view);
  return view;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function createView(event: Event, book: AddressBook): EventView {
  const parsed = once(() => parseJsonBody(event.body, event.contentType));
  const text = once(() => decodeUtf8(event.body));
  const headers = once(() => lastOfEach(event.headers));
  const headersAll = once(() => allOfEach(event.headers));
  const fields = once(() => eventFields(event, book));
  return {
    get payload() {
      return parsed() ?? null;
    },
    get $hasPayload() {
      return parsed() !== undefined;
    },
    get text() {
      return text();
    },
    get headers() {
      return headers();
    },
    get headersAll() {
      return headersAll();
    },
    get event() {
      return fields();
    },
  };
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
