/** A place as the gateway sees it: the kind of place and its path, raw. */
export interface Place {
  readonly scheme: string;
  readonly segments: readonly string[];
}

/** A header value that every protocol with types can carry. */
export type Value = string | number | boolean | null | readonly Value[];
export type Header = readonly [name: string, value: Value];

/**
 * A message as an independent client sends it and as another one reads it. The fields are those of the mapping tables;
 * each client puts them where its protocol's documentation says, and reads them only there.
 */
export interface Message {
  readonly id: string;
  readonly body: Buffer;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly headers?: readonly Header[];
  readonly correlationId?: string;
  readonly replyTo?: Place;
  readonly type?: string;
  readonly subject?: string;
  readonly priority?: number;
  readonly retain?: boolean;
  readonly redelivered?: boolean;
  readonly trace?: { readonly traceparent: string; readonly tracestate?: string };
  readonly via?: readonly string[];
  /** ms since the epoch. */
  readonly time?: number;
  /** ms since the epoch. */
  readonly expiresAt?: number;
}

/** Names of the fields. */
export type Field = keyof Message;

export const SOURCES = ['XMPP chat', 'XMPP room', 'MQTT', 'AMQP', 'HTTP'] as const;
export type SourceName = (typeof SOURCES)[number];

export const TARGETS = ['XMPP chat', 'XMPP room', 'MQTT', 'AMQP', 'WebSocket'] as const;
export type TargetName = (typeof TARGETS)[number];

/** An independent client that sends; it has a place of its own for each target. */
export interface Source {
  /** Keys of `from` of the route to this target. */
  from(target: TargetName): Readonly<Record<string, string>>;
  send(target: TargetName, message: Message): Promise<void>;
}

/** An independent client that receives; it has a place of its own for each source. */
export interface Target {
  /** The target of the route from this source; undefined when none is needed. */
  to(source: SourceName): Readonly<Record<string, string>> | undefined;
  /** The message with this id from this source, as the client reads it. */
  receive(source: SourceName, id: string): Promise<Message>;
}

/** A part of an address, a name or a file: letters, digits and hyphens only. */
export const slug = (name: string): string => name.toLowerCase().replace(' ', '-');

/** Only the fields that have a value: absent and undefined must compare as equal. */
export function message(fields: { readonly [K in Field]?: Message[K] | undefined }): Message {
  const defined = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { id: '', body: Buffer.alloc(0), ...Object.fromEntries(defined) };
}

/** Segments joined for the wire, reversibly. */
export const placeText = ({ scheme, segments }: Place): string =>
  `${scheme}:${segments.map(encodeURIComponent).join('/')}`;

/** The inverse of `placeText`. */
export function parsePlace(text: string): Place {
  const [, scheme = '', path = ''] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  return { scheme, segments: path.split('/').map(decodeURIComponent) };
}
