import type { Position, StoredEvent } from '@magpie/bus';
import type { Gateway } from '@magpie/core';
import { eventReference, eventText } from '../resources/events/view.ts';

/** Size of the cache of JSON texts shared by subscribers, characters. */
const KEPT_CHARACTERS = 2 * 1024 * 1024;

/** Text of an event for the stream: an event larger than a frame gets a reference instead of its body. */
export type EventEncoder = (stored: StoredEvent) => string;

/**
 * Makes the JSON of each event once for all subscribers, of at most `most` bytes; the latest texts are cached up to a
 * total size (`keep`, characters). `basePath`: prefix of URLs in them.
 */
export function createEventEncoder(
  gateway: Gateway,
  most: number,
  { keep = KEPT_CHARACTERS, basePath = '' }: { readonly keep?: number; readonly basePath?: string | undefined } = {},
): EventEncoder {
  const texts = new Map<Position, string>();
  let size = 0;
  const forgetOldest = (): void => {
    for (const [position, text] of texts) {
      if (size <= keep) return;
      texts.delete(position);
      size -= text.length;
    }
  };
  return (stored) => {
    const known = texts.get(stored.position);
    if (known !== undefined) return known;
    // No text is made of a body that is larger than the frame before anything is escaped.
    const whole = stored.event.body.byteLength > most ? undefined : eventText(gateway, stored);
    const fits = whole !== undefined && Buffer.byteLength(whole) <= most;
    const text = fits ? whole : eventReference(gateway, stored, most, basePath);
    texts.set(stored.position, text);
    size += text.length;
    forgetOldest();
    return text;
  };
}
