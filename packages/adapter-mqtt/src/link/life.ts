import type { MagpieError } from '@magpie/contract';

/** Why and when a link ended. */
export interface LinkEnd {
  readonly error: MagpieError;
  /** Reason code of the broker's DISCONNECT, if it sent one. */
  readonly reasonCode: number | undefined;
  /** The broker has closed the link without a word. */
  readonly isSilent: boolean;
}

/** The life of one link: opening, open, closed. It ends once; all who depend on it are told in the order they asked. */
export interface Life {
  readonly state: 'opening' | 'open' | 'closed';
  opened(): void;
  end(error: MagpieError, reasonCode?: number, isSilent?: boolean): void;
  /** Called once at the end; at once when it has come already. */
  onEnd(listener: (end: LinkEnd) => void): void;
}

/** A life that has just begun. */
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
