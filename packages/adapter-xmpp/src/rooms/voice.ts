import type { Element } from '../codec/stanza/element.ts';
import { occupantOf } from '../codec/stanza/muc.ts';

/** Whether we may speak in a room (XEP-0045 §5.1): a visitor says nothing in a moderated one. One per room. */
export class Voice {
  readonly #changed: () => void;
  #isMissing = false;

  /** @param changed called when it was taken or given. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get isMissing(): boolean {
    return this.#isMissing;
  }

  /** Takes our own presence in the room, which says our role there. */
  take(own: Element, isModerated: boolean): void {
    const isVisitor = occupantOf(own)?.role === 'visitor';
    // In a room that is not moderated visitors may speak; one that has become so shows it by refusing.
    if (!isVisitor || isModerated) this.#set(isVisitor);
  }

  /** A message of ours was refused for want of it. */
  refused(): void {
    this.#set(true);
  }

  #set(isMissing: boolean): void {
    if (isMissing === this.#isMissing) return;
    this.#isMissing = isMissing;
    this.#changed();
  }
}
