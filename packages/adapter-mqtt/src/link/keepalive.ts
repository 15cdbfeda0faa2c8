import { type Clock, NotConnected } from '@magpie/contract';
import type { Life } from './life.ts';

/** Input of the watch over one link. */
export interface Pulse {
  /** Host and port, for messages. */
  readonly where: string;
  readonly clock: Clock;
  /** The link ends after this time without a received byte, ms. */
  readonly silence: number;
  /** Number of writes so far. */
  writes(): number;
  ping(): void;
}

/** Watches over one link. */
export interface Keepalive {
  /** Called per received chunk. */
  heard(): void;
  /** Starts pinging, so that neither side is silent for longer than `keepalive` ms. */
  start(keepalive: number): void;
}

/** Watches for the broker's silence from the start until the link ends. */
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
