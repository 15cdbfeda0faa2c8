import type { ReceivedEvent } from '@magpie/contract';

/** A received event and the means to report its stanza as handled. */
export interface Entry {
  readonly event: ReceivedEvent;
  readonly bytes: number;
  finish(): void;
  /** Called when the event is on disk. */
  readonly stored?: (() => void) | undefined;
}

/** Unsettled events of one link: at the sink, or waiting. */
export interface Load {
  /** Events at the sink without a verdict. */
  atSink: number;
  add(entry: Entry): void;
  remove(entry: Entry): void;
  /** Share of the limit in use: 1 is full. `window`: number of events that may be at the sink. */
  share(window: number): number;
}

/** Number of windows of events read from the server before reading stops. */
const WINDOWS = 8;
/** Bytes of events read before reading stops. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Estimated memory of an event besides its texts, bytes. */
const OVERHEAD = 512;

/** An empty load. */
export function fresh(): Load {
  let count = 0;
  let bytes = 0;
  return {
    atSink: 0,
    add(entry) {
      count += 1;
      bytes += entry.bytes;
    },
    remove(entry) {
      count -= 1;
      bytes -= entry.bytes;
    },
    share: (window) => Math.max(count / (WINDOWS * window), bytes / MAX_BYTES),
  };
}

/** Weighs an event. */
export function entryOf(event: ReceivedEvent, { finish, stored }: Pick<Entry, 'finish' | 'stored'>): Entry {
  const { body, headers, subject = '' } = event;
  const texts = headers.reduce((sum, [name, value]) => sum + name.length + String(value).length, subject.length);
  return { event, bytes: OVERHEAD + body.byteLength + texts, finish, stored };
}
