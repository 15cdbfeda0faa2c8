import { type MagpieError, Unknown } from '@magpie/contract';
import { errorCode, toContractError, wireReason } from '../errors.ts';
import type { Sent } from './unconfirmed.ts';

/** Destination of a message, for error messages. */
export const whereTo = ({ exchange, routingKey }: Sent): string =>
  exchange === '' ? `queue "${routingKey}"` : `exchange "${exchange}" with routing key "${routingKey}"`;

/**
 * Finds the message that made the broker close the publishing channel. The broker names the exchange, the routing key
 * or the size, not the message; if it names nothing, a message alone on the channel is the cause, so that a poison
 * message is not retried for ever. All others get `Unknown`: they may have arrived. Called once per channel error, for
 * all `count` sends in flight.
 */
export function blame(error: unknown, count: number): (sent: Sent) => MagpieError {
  const named = suspicion(wireReason(error));
  const guilty = named ?? (() => count === 1);
  return (sent) => {
    if (guilty(sent)) return toContractError('channel', error, whereTo(sent));
    const words = `another message made the broker close the channel (${wireReason(error)}); this one may have arrived`;
    // If nothing is named, each of them may be the cause: each is retried alone.
    return named ? new Unknown(words) : new Unknown(words).asPeersVerdict();
  };
}

/** A test for the sends that the broker's message fits; undefined when it names nothing. */
function suspicion(reason: string): ((sent: Sent) => boolean) | undefined {
  const size = /message size (\d+)/.exec(reason)?.[1];
  if (size !== undefined) return ({ bytes }) => bytes === Number(size);
  const named = /exchange '(.*?)' in vhost/s.exec(reason)?.[1];
  if (named === undefined) return undefined;
  const exchange = named === 'amq.default' ? '' : named;
  const key = /access to topic '(.*?)' in exchange/s.exec(reason)?.[1];
  return (sent) => sent.exchange === exchange && (key === undefined || sent.routingKey === key);
}

/** The missing exchange that a channel error names. */
export const missingExchange = (error: unknown): string | undefined =>
  errorCode(error) === 404 ? /no exchange '(.*?)' in vhost/s.exec(wireReason(error))?.[1] : undefined;
