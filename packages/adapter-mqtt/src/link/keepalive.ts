import { type Clock, NotConnected } from '@magpie/contract';
import type { Life } from './life.ts';

/** What the watch over one link looks at. */
export interface Pulse {
  /** Host and port, for messages. */
  readonly where: string;
  readonly clock: Clock;
  /** Ends the link when no byte has come for so long, ms. */
  readonly silence: number;
  /** How often something was written. */
  writes(): number;
  ping(): void;
}

/** Watches over one link. */
export interface Keepalive {
  /** Something has come. Called per chunk. */
  heard(): void;
  /** From now on pings whenever one side has been silent, so that neither is for longer than `keepalive` ms. */
  start(keepalive: number): void;
}

/** Begins to watch for the broker's silence at once. Stops when the link ends. */
export function createKeepalive({ where, clock, silence, writes, ping }: Pulse, life: Life): Keepalive {
  let lastByte = clock.monotonic();
  let heard = false;
  const check = (): void => {
    const quiet = clock.monotonic() - lastByte;
    if (quiet >= silence) life.end(new NotConnected(`no byte from the broker at ${where} for ${Math.round(quiet)} ms`));
    else stopCheck = clock.timeout(silence - quiet, check);
  };
  let stopCheck = clock.timeout(silence, check);
  let stopTurns = (): void => undefined;
  life.onEnd(() => {
    stopCheck();
    stopTurns();
  });
  return {
    heard() {
      lastByte = clock.monotonic();
      heard = true;
    },
    start(keepalive) {
      let written = writes();
      const turn = (): void => {
        if (!heard || writes() === written) ping();
        heard = false;
        written = writes();
        stopTurns = clock.timeout(keepalive / 2, turn);
      };
      if (life.state !== 'closed') stopTurns = clock.timeout(keepalive / 2, turn);
    },
  };
}
