import type { MagpieError } from '@magpie/contract';

/** Why and when a link ended. */
export interface LinkEnd {
  readonly error: MagpieError;
  /** Reason code of the broker's DISCONNECT, if it sent one. */
  readonly reasonCode: number | undefined;
  /** Whether the broker closed the link without a reason. */
  readonly isSilent: boolean;
}

/**
 * The life of one link: opening, open, closed. It ends once; listeners are called in the order of their registration.
 */
export interface Life {
  readonly state: 'opening' | 'open' | 'closed';
  opened(): void;
  end(error: MagpieError, reasonCode?: number, isSilent?: boolean): void;
  /** Calls the listener once at the end, or at once if the link has ended. */
  onEnd(listener: (end: LinkEnd) => void): void;
}

/** Makes the life of an opening link. */
export function createLife(): Life {
  let state: Life['state'] = 'opening';
  const listeners: ((end: LinkEnd) => void)[] = [];
  let ended: LinkEnd | undefined;
  return {
    get state() {
      return state;
    },
    opened() {
      if (state === 'opening') state = 'open';
    },
    end(error, reasonCode, isSilent = false) {
      if (state === 'closed') return;
      state = 'closed';
      ended = { error, reasonCode, isSilent };
      for (const listener of listeners) listener(ended);
    },
    onEnd(listener) {
      if (ended) listener(ended);
      else listeners.push(listener);
    },
  };
}
