import { toContractError } from '../errors.ts';
import type { Scratch } from '../link/check-channel.ts';
import { whereTo } from './channel-error.ts';
import type { Sent } from './unconfirmed.ts';

/** Exchanges that a channel error has named as missing. */
export interface ExchangeGuard {
  /** Marks an exchange as missing after a channel error; undefined when the error had another reason. */
  suspect(exchange: string | undefined): void;
  /**
   * Undefined when nothing speaks against the exchange of a send. Else the answer of the broker, looked up on another
   * channel once for all who ask meanwhile: the suspicion is over when the exchange exists. Rejects with `Transient`.
   */
  found(sent: Sent): Promise<void> | undefined;
}

/** Names may come from templates; forgetting them costs one more closed channel each. */
const MAX_SUSPECTS = 1000;

/** One per publishing link; `scratch` runs the look-ups. */
export function createExchangeGuard(scratch: Scratch): ExchangeGuard {
  const missing = new Set<string>();
  const checks = new Map<string, Promise<void>>();
  const check = async (exchange: string): Promise<void> => {
    try {
      await scratch((channel) => channel.checkExchange(exchange));
      missing.delete(exchange);
    } finally {
      checks.delete(exchange);
    }
  };
  return {
    suspect(exchange) {
      if (exchange === undefined) return;
      if (missing.size >= MAX_SUSPECTS) missing.clear();
      missing.add(exchange);
    },
    found(sent) {
      const { exchange } = sent;
      if (!missing.has(exchange)) return undefined;
      const running = checks.get(exchange) ?? check(exchange);
      checks.set(exchange, running);
      return running.catch((error: unknown) => {
        throw toContractError('channel', error, whereTo(sent));
      });
    },
  };
}
