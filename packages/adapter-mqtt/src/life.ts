import type { MagpieError } from '@magpie/contract';

/** Why and when a link ended. */
export interface LinkEnd {
  readonly error: MagpieError;
  /** Whether the login had succeeded. */
  readonly wasOpen: boolean;
  /** Reason code of the broker's DISCONNECT, if it sent one. */
  readonly reasonCode: number | undefined;
}

/** The life of one link: opening, open, closed. It ends once; all who depend on it are told in the order they asked. */
export interface Life {
  readonly state: 'opening' | 'open' | 'closed';
  opened(): void;
  end(error: MagpieError, reasonCode?: number): void;
  onEnd(listener: (end: LinkEnd) => void): void;
}

/** A life that has just begun. */
export function createLife(): Life {
  let state: Life['state'] = 'opening';
  const listeners: ((end: LinkEnd) => void)[] = [];
  return {
    get state() {
      return state;
    },
    opened() {
      if (state === 'opening') state = 'open';
    },
    end(error, reasonCode) {
      if (state === 'closed') return;
      const wasOpen = state === 'open';
      state = 'closed';
      for (const listener of listeners) listener({ error, wasOpen, reasonCode });
    },
    onEnd(listener) {
      listeners.push(listener);
    },
  };
}
