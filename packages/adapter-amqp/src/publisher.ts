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
import type { ConfirmChannel, Message, Options } from 'amqplib';
import { blame, missingExchange, whereTo } from './blame.ts';
import type { AmqpConfig } from './config.ts';
import { encode } from './encode.ts';
import { toContractError } from './errors.ts';
import type { Link } from './link.ts';
import { createOutstanding, type Sent } from './outstanding.ts';
import { RESERVED } from './reserved.ts';
import { createScratch } from './scratch.ts';

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

/** Exchange and routing key of an address: a queue is reached through the default exchange by its name. */
function destination({ address: { scheme, segments } }: TargetRequest): { exchange: string; routingKey: string } {
  const [name = '', ...key] = segments;
  return scheme === 'queue' ? { exchange: '', routingKey: name } : { exchange: name, routingKey: key.join('.') };
}

/** Options of a target; what is not said is safe. */
const safeUnless = (options: unknown, name: 'persistent' | 'mandatory'): boolean =>
  typeof options !== 'object' || options === null || Reflect.get(options, name) !== false;

/**
 * One confirm channel for everything a connection sends, so that messages keep their order. The broker answers a missing
 * exchange or a refused message by closing the channel: it is rebuilt at once, the culprit is told, all others are
 * `Unknown`. An exchange once found missing is looked up first next time, so that it disturbs the others only once.
 */
export function createPublisher(link: Link, config: AmqpConfig, context: AdapterContext): Publisher {
  const outstanding = createOutstanding({
    clock: context.clock,
    timeout: config.confirmTimeout,
    blocked: () => link.blocked() !== undefined,
  });
  const scratch = createScratch(link);
  const missing = new Set<string>();
  let channel: ConfirmChannel | undefined;
  let count = 0;

  const open = async (): Promise<void> => {
    const opened = await link.model.createConfirmChannel();
    opened.on('error', broken);
    opened.on('return', (message) => onReturn(message));
    opened.on('close', () => {
      if (channel === opened) channel = undefined;
    });
    channel = opened;
  };
  const broken = (error: unknown): void => {
    channel = undefined;
    const exchange = missingExchange(error);
    if (exchange !== undefined) missing.add(exchange);
    context.logger.warn({ reason: errorMessage(error) }, 'the broker closed the publishing channel; it is rebuilt');
    outstanding.settleAll(blame(error, outstanding.size));
    // Fails only together with the link, which is reported by itself; without a channel sends are refused.
    if (link.alive()) open().catch(() => link.cut());
  };
  const onReturn = (message: Message): void => {
    const id: unknown = message.properties.headers?.[RESERVED.send];
    if (typeof id === 'string') outstanding.returned(id, 'returned');
    context.count('returned');
  };
  const verify = async (exchange: string, sent: Sent): Promise<void> => {
    try {
      await scratch((probe) => probe.checkExchange(exchange));
      missing.delete(exchange);
    } catch (error) {
      throw toContractError('channel', error, whereTo(sent));
    }
  };
  const ready = (): ConfirmChannel => {
    const blocked = link.blocked();
    if (blocked !== undefined) {
      throw new Throttled(`the broker takes no messages at present: ${blocked}`, BLOCKED_RETRY_MS);
    }
    if (!channel) throw new NotConnected('the publishing channel is being rebuilt');
    return channel;
  };
  return {
    open,
    async send(event, target, signal) {
      throwIfAborted(signal);
      ready();
      const sent = { ...destination(target), bytes: event.body.byteLength };
      if (sent.bytes > config.maxBody) {
        throw new TooLarge(`a body of ${sent.bytes} bytes, more than the ${config.maxBody} of "maxBody"`);
      }
      if (missing.has(sent.exchange)) await verify(sent.exchange, sent);
      count += 1;
      const id = `${event.ref}.${count}`;
      const options = encode(event, {
        gatewayId: context.gatewayId,
        now: context.clock.now(),
        persistent: safeUnless(target.options, 'persistent'),
        mandatory: safeUnless(target.options, 'mandatory'),
        send: id,
      });
      const confirmed = (error: unknown): void =>
        outstanding.settle(id, (_, returned) => verdict(error, sent, returned));
      const publishing = ready();
      publish(publishing, sent, event.body, options, confirmed);
      return outstanding.add(id, sent, signal);
    },
    abandon(error) {
      channel = undefined;
      outstanding.settleAll(() => new Unknown(`the link was lost before the confirmation: ${error.message}`));
    },
  };
}

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
function verdict(error: unknown, sent: Sent, returned: string | undefined): MagpieError | undefined {
  if (error === null || error === undefined) {
    if (returned === undefined) return undefined;
    return new Transient(
      sent.exchange === ''
        ? `${whereTo(sent)} does not exist: create it, or list it under "declare"`
        : `no queue is bound for ${whereTo(sent)}: bind one, or set "mandatory: false" if nobody need get it`,
    );
  }
  const message = errorMessage(error);
  if (message === 'message nacked')
    return new Transient(`${whereTo(sent)}: the broker could not take the message (nack)`);
  return new Unknown(`the channel was closed before the confirmation (${message}); the broker may have the message`);
}
