import { Malformed } from '@magpie/adapter-kit';
import type { FrameCursor } from './cursor.ts';
import { FRAME, METHOD } from './frames.ts';
import type { Route } from './inbound.ts';

/** Takes a confirmation of all messages of a channel up to a number, or of this one alone. Must not throw otherwise than `Malformed`. */
export type TakeConfirmation = (tag: number, multiple: boolean, isTaken: boolean) => void;

/** Reads the confirmations of one channel; everything else on it is left to the library. */
export class ConfirmReader implements Route {
  readonly #take: TakeConfirmation;

  constructor(take: TakeConfirmation) {
    this.#take = take;
  }

  frame(type: number, cursor: FrameCursor): boolean {
    if (type !== FRAME.method) return false;
    const method = cursor.uint32();
    if (method !== METHOD.ack && method !== METHOD.nack) return false;
    const tag = cursor.uint64();
    if (!Number.isSafeInteger(tag)) throw new Malformed(`the delivery tag ${tag}`);
    this.#take(tag, (cursor.byte() & 1) === 1, method === METHOD.ack);
    return true;
  }
}
