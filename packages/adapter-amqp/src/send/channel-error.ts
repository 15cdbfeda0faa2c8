import { type MagpieError, Unknown } from '@magpie/contract';
import { errorCode, toContractError, wireReason } from '../errors.ts';
import type { Sent } from './unconfirmed.ts';

/** Where a message was sent, for messages to people. */
export const whereTo = ({ exchange, routingKey }: Sent): string =>
  exchange === '' ? `queue "${routingKey}"` : `exchange "${exchange}" with routing key "${routingKey}"`;

/**
 * Who made the broker close the publishing channel. It names the exchange, the routing key or the size, not the message;
 * where it names nothing, a message that was alone on the channel is the culprit, so that a poison message cannot go
 * round for ever. The judgement of all others is `Unknown`: they may have arrived. Called once per channel error, for
 * all `count` sends in flight.
 */
export function blame(error: unknown, count: number): (sent: Sent) => MagpieError {
  const named = suspicion(wireReason(error));
  const guilty = named ?? (() => count === 1);
  return (sent) => {
    if (guilty(sent)) return toContractError('channel', error, whereTo(sent));
    const words = `another message made the broker close the channel (${wireReason(error)}); it may have this one`;
    // Where nothing is named each of them may be the one: the next time it is alone.
    return named ? new Unknown(words) : new Unknown(words).asPeersVerdict();
  };
}

/** Which sends the broker's words fit; undefined when they name nothing. */
function suspicion(reason: string): ((sent: Sent) => boolean) | undefined {
  const size = /message size (\d+)/.exec(reason)?.[1];
  if (size !== undefined) return ({ bytes }) => bytes === Number(size);
  const named = /exchange '(.*?)' in vhost/s.exec(reason)?.[1];
  if (named === undefined) return undefined;
  const exchange = named === 'amq.default' ? '' : named;
  const key = /access to topic '(.*?)' in exchange/s.exec(reason)?.[1];
  return (sent) => sent.exchange === exchange && (key === undefined || sent.routingKey === key);
}

/** The exchange that a channel error says does not exist. */
export const missingExchange = (error: unknown): string | undefined =>
  errorCode(error) === 404 ? /no exchange '(.*?)' in vhost/s.exec(wireReason(error))?.[1] : undefined;
