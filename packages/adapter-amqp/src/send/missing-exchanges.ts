import { type MagpieError, NotConnected } from '@magpie/contract';
import { errorCode, toContractError, wireReason } from '../errors.ts';
import type { Scratch } from '../link/check-channel.ts';
import { whereTo } from './channel-error.ts';
import type { Sent } from './unconfirmed.ts';

/** Which exchanges are known to exist. A publish to a missing one closes the channel that all sends share. */
export interface ExchangeGuard {
  /** Marks an exchange as missing after a channel error; undefined when the error had another reason. */
  suspect(exchange: string | undefined): void;
  /**
   * Undefined when the exchange of a send is known. Else the answer of the broker, looked up on another channel once for all
   * who ask meanwhile. Rejects with `Transient` about the place when it does not exist, `NotConnected` when the link is lost.
   */
  found(sent: Sent): Promise<void> | undefined;
}

/** Names may come from templates; forgetting them costs one more look-up each. */
const MAX_KNOWN = 1000;

/** One per publishing link; `scratch` runs the look-ups, `declared` are exchanges that exist already. */
export function createExchangeGuard(scratch: Scratch, declared: Iterable<string> = []): ExchangeGuard {
  const known = new Set(declared);
  const checks = new Map<string, Promise<void>>();
  let last: Promise<unknown> = Promise.resolve();

  const look = async (exchange: string): Promise<void> => {
    try {
      await scratch((channel) => channel.checkExchange(exchange));
      if (known.size >= MAX_KNOWN) known.clear();
      known.add(exchange);
    } finally {
      checks.delete(exchange);
    }
  };
  /** One after the other: a look-up that fails closes the channel, and with it those that share it. */
  const check = (exchange: string): Promise<void> => {
    const looked = last.then(() => look(exchange));
    last = looked.catch(() => undefined);
    checks.set(exchange, looked);
    return looked;
  };
  return {
    suspect(exchange) {
      if (exchange !== undefined) known.delete(exchange);
    },
    found(sent) {
      const { exchange } = sent;
      if (isBuiltIn(exchange) || known.has(exchange)) return undefined;
      return (checks.get(exchange) ?? check(exchange)).catch((error: unknown) => {
        throw problemOf(error, sent);
      });
    },
  };
}

/** Exchanges that every virtual host has (AMQP 0-9-1, 3.1.3). */
const isBuiltIn = (exchange: string): boolean => exchange === '' || exchange.startsWith('amq.');

/** Only an answer of the broker says something about the exchange. */
const problemOf = (error: unknown, sent: Sent): MagpieError =>
  typeof errorCode(error) === 'number'
    ? toContractError('channel', error, whereTo(sent))
    : new NotConnected(`${whereTo(sent)} could not be looked up: ${wireReason(error)}`, { cause: error });
