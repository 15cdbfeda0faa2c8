import {
  type AdapterContext,
  errorMessage,
  type MagpieError,
  NotConnected,
  type OutgoingEvent,
  Rejected,
  type SendReceipt,
  type TargetRequest,
  Throttled,
  TooLarge,
  Transient,
  throwIfAborted,
  Unknown,
} from '@magpie/contract';
import type { ConfirmChannel, Options } from 'amqplib';
import { blame, missingExchange, whereTo } from './blame.ts';
import type { AmqpConfig } from './config.ts';
import { encode } from './encode.ts';
import { createExchangeGuard } from './exchange-guard.ts';
import type { Link } from './link.ts';
import { createOutstanding, type Sent } from './outstanding.ts';
import { createPublishChannel, type PublishChannel } from './publish-channel.ts';
import { createScratch } from './scratch.ts';
import { createTurns } from './turns.ts';

/** Publishes on one link, with confirmations. */
export interface Publisher {
  /** Opens the channel. Rejects with the library's error. */
  open(): Promise<void>;
  send(event: OutgoingEvent, target: TargetRequest, signal: AbortSignal): Promise<SendReceipt>;
  /** The link is gone: all outstanding sends end as `Unknown`. */
  abandon(error: MagpieError): void;
}

/** How long a lane should wait before it tries again while the broker takes nothing, ms. */
const BLOCKED_RETRY_MS = 1000;

/**
 * One confirm channel for everything a connection sends, so that messages keep their order. The broker answers a missing
 * exchange or a refused message by closing the channel: it is rebuilt at once, the culprit is told, all others are
 * `Unknown`. An exchange once found missing is looked up first next time, so that it disturbs the others only once; what is
 * sent meanwhile waits its turn.
 */
export function createPublisher(link: Link, config: AmqpConfig, context: AdapterContext): Publisher {
  const isBlocked = (): boolean => link.blocked() !== undefined;
  const outstanding = createOutstanding({ clock: context.clock, timeout: config.confirmTimeout, blocked: isBlocked });
  const exchanges = createExchangeGuard(createScratch(link));
  const turns = createTurns();
  const channel = createPublishChannel(link, {
    broken(error) {
      exchanges.suspect(missingExchange(error));
      context.logger.warn({ reason: errorMessage(error) }, 'the broker closed the publishing channel; it is rebuilt');
      outstanding.settleAll(blame(error, outstanding.size));
    },
    returned(send) {
      if (send !== undefined) outstanding.returned(send);
      context.count('returned');
    },
  });
  let count = 0;

  /** Hands a message over and returns what waits for its confirmation. */
  const hand = (event: OutgoingEvent, sent: Sent, { options }: TargetRequest, signal: AbortSignal) => {
    count += 1;
    const id = `${event.delivery}.${count}`;
    const properties = encode(event, {
      gatewayId: context.gatewayId,
      now: context.clock.now(),
      persistent: safeUnless(options, 'persistent'),
      mandatory: safeUnless(options, 'mandatory'),
      send: id,
    });
    publish(usable(link, channel), sent, event.body, properties, (error) => outstanding.settle(id, judge(error)));
    return { confirmation: outstanding.add(id, sent, signal) };
  };
  const send: Publisher['send'] = async (event, target, signal) => {
    throwIfAborted(signal);
    usable(link, channel);
    const sent = { ...destination(target), bytes: event.body.byteLength };
    checkSize(sent, config.maxBodyBytes);
    const found = exchanges.found(sent);
    const { confirmation } = await turns.take(found, signal, () => hand(event, sent, target, signal));
    return confirmation;
  };
  return {
    open: channel.open,
    send,
    abandon(error) {
      channel.drop();
      outstanding.settleAll(() => new Unknown(`the link was lost before the confirmation: ${error.message}`));
    },
  };
}

/** The channel to publish on now. Throws `Throttled` during an alarm, `NotConnected` while the channel is rebuilt. */
function usable(link: Link, channel: PublishChannel): ConfirmChannel {
  const blocked = link.blocked();
  if (blocked !== undefined) {
    throw new Throttled(`the broker takes no messages at present: ${blocked}`, BLOCKED_RETRY_MS);
  }
  const current = channel.current();
  if (!current) throw new NotConnected('the publishing channel is being rebuilt');
  return current;
}

/** Exchange and routing key of an address: a queue is reached through the default exchange by its name. */
function destination({ address: { scheme, segments } }: TargetRequest): { exchange: string; routingKey: string } {
  const [name = '', ...key] = segments;
  return scheme === 'queue' ? { exchange: '', routingKey: name } : { exchange: name, routingKey: key.join('.') };
}

function checkSize({ bytes }: Sent, maxBodyBytes: number): void {
  if (bytes > maxBodyBytes)
    throw new TooLarge(`a body of ${bytes} bytes, more than the ${maxBodyBytes} of "maxBodyBytes"`);
}

/** Options of a target; what is not said is safe. */
const safeUnless = (options: unknown, name: 'persistent' | 'mandatory'): boolean =>
  typeof options !== 'object' || options === null || Reflect.get(options, name) !== false;

/** Hands a message to the library, whose complaints come as synchronous throws. */
function publish(
  channel: ConfirmChannel,
  { exchange, routingKey }: Sent,
  body: Uint8Array,
  options: Options.Publish,
  confirmed: (error: unknown) => void,
): void {
  const content = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  try {
    channel.publish(exchange, routingKey, content, options, confirmed);
  } catch (error) {
    if (error instanceof RangeError) throw new TooLarge(`headers that AMQP cannot carry: ${error.message}`);
    if (error instanceof TypeError) throw new Rejected(`not a message AMQP can carry: ${error.message}`);
    throw new NotConnected(`the publishing channel is closed: ${errorMessage(error)}`, { cause: error });
  }
}

/** What a confirmation means. The broker returns an unroutable message before it confirms it. */
function judge(error: unknown): (sent: Sent, returned: boolean) => MagpieError | undefined {
  return (sent, returned) => {
    if (error === null || error === undefined) return returned ? new Transient(unroutable(sent)) : undefined;
    const message = errorMessage(error);
    if (message === 'message nacked') return new Transient(`${whereTo(sent)}: the broker could not take it (nack)`);
    return new Unknown(`the channel was closed before the confirmation (${message}); the broker may have the message`);
  };
}

const unroutable = (sent: Sent): string =>
  sent.exchange === ''
    ? `${whereTo(sent)} does not exist: create it, or list it under "declare"`
    : `no queue is bound for ${whereTo(sent)}: bind one, or set "mandatory: false" if nobody need get it`;
