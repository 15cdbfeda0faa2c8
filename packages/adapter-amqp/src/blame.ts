import { type MagpieError, Unknown } from '@magpie/contract';
import { errorCode, toContractError, wireReason } from './errors.ts';
import type { Sent } from './outstanding.ts';

/** Where a message was sent, for messages to people. */
export const whereTo = ({ exchange, routingKey }: Sent): string =>
  exchange === '' ? `queue "${routingKey}"` : `exchange "${exchange}" with routing key "${routingKey}"`;

/**
 * Who made the broker close the publishing channel. It names the exchange, the routing key or the size, not the message;
 * a message that was alone on the channel is the culprit in any case, so that a poison message cannot go round for ever.
 * The judgement of all others is `Unknown`: they may have arrived. Called once per channel error, for all sends in flight.
 */
export function blame(error: unknown, count: number): (sent: Sent) => MagpieError {
  const guilty = count === 1 ? (): boolean => true : suspicion(error);
  return (sent) =>
    guilty(sent)
      ? toContractError('channel', error, whereTo(sent))
      : new Unknown(
          `the broker closed the channel because of another message (${wireReason(error)}); it may have this one`,
        );
}

function suspicion(error: unknown): (sent: Sent) => boolean {
  const reason = wireReason(error);
  const size = /message size (\d+)/.exec(reason)?.[1];
  if (size !== undefined) return ({ bytes }) => bytes === Number(size);
  const exchange = /exchange '(.*?)' in vhost/s.exec(reason)?.[1];
  if (exchange === undefined) return () => false;
  const key = /access to topic '(.*?)' in exchange/s.exec(reason)?.[1];
  return (sent) =>
    sent.exchange === (exchange === 'amq.default' ? '' : exchange) && (key === undefined || sent.routingKey === key);
}

/** The exchange that a channel error says does not exist. */
export const missingExchange = (error: unknown): string | undefined =>
  errorCode(error) === 404 ? /no exchange '(.*?)' in vhost/s.exec(wireReason(error))?.[1] : undefined;
