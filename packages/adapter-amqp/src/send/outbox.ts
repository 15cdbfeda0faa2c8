import {
  type AdapterContext,
  errorMessage,
  type MagpieError,
  NotConnected,
  type OutgoingEvent,
  type SendReceipt,
  type TargetRequest,
  Throttled,
  TooLarge,
  Transient,
  throwIfAborted,
  Unknown,
} from '@magpie/contract';
import { type EncodeContext, encode } from '../codec/encode.ts';
import type { AmqpConfig } from '../config.ts';
import { isPeersVerdict } from '../errors.ts';
import { createScratch } from '../link/check-channel.ts';
import type { Link } from '../link/link.ts';
import { writePublish } from '../wire/methods.ts';
import type { Writer } from '../wire/writer.ts';
import { blame, missingExchange, whereTo } from './channel-error.ts';
import { createExchangeGuard } from './missing-exchanges.ts';
import { createPublishChannel, type PublishChannel } from './publish-channel.ts';
import { createTurns } from './send-order.ts';
import { createOutstanding, type Judge, type Sent } from './unconfirmed.ts';

/** Publishes on one link, with confirmations. */
export interface Outbox {
  /** Opens the channel. Rejects with the library's error. */
  open(): Promise<void>;
  send(event: OutgoingEvent, target: TargetRequest, signal: AbortSignal): Promise<SendReceipt>;
  /** The link is gone: all outstanding sends end as `Unknown`. */
  abandon(error: MagpieError): void;
}

/** Time until a retry while the broker accepts nothing, ms. */
const BLOCKED_RETRY_MS = 1000;

/**
 * One confirm channel for everything a connection sends, so that messages keep their order. The broker answers a missing
 * exchange or a refused message by closing the channel: it is rebuilt at once, the culprit is told, all others are
 * `Unknown`. So that a name from a template does not do that to others, an exchange is looked up before its first use; what is
 * sent meanwhile waits its turn.
 */
export function createOutbox(link: Link, config: AmqpConfig, context: AdapterContext): Outbox {
  const isBlocked = (): boolean => link.blocked() !== undefined;
  const outstanding = createOutstanding({ clock: context.clock, timeout: config.confirmTimeout, blocked: isBlocked });
  const declared = config.declare.exchanges.map(({ name }) => name);
  const exchanges = createExchangeGuard(createScratch(link), declared);
  const turns = createTurns(link.outgoing.room);
  const { gatewayId, clock } = context;
  /** Sends that were made before the channel was opened. */
  let before = 0;
  const channel = createPublishChannel(link, {
    opened() {
      before = outstanding.next - 1;
    },
    confirmed(tag, multiple, isTaken) {
      // 0 means everything (AMQP 0-9-1, rules of delivery-tag).
      const upTo = tag === 0 && multiple ? outstanding.next - 1 : before + tag;
      outstanding.settle(upTo, multiple, isTaken ? judgeTaken : refused);
    },
    broken(error) {
      exchanges.suspect(missingExchange(error));
      context.logger.warn({ reason: errorMessage(error) }, 'the broker closed the publishing channel; it is rebuilt');
      outstanding.settleAll(blame(error, outstanding.size));
    },
    returned(place) {
      outstanding.returned(place);
      context.count('returned');
    },
  });

  const encodings = [true, false].map(
    (persistent): EncodeContext => ({ gatewayId, now: clock.now, persistent, frameMax: link.frameMax }),
  );
  /** Writes a message. @returns the promise of its confirmation. */
  const hand = (
    event: OutgoingEvent,
    sent: Sent,
    { options }: TargetRequest,
    signal: AbortSignal,
  ): Promise<SendReceipt> => {
    const number = usable(link, channel);
    const encoding = encodings[isOff(options, 'persistent') ? 1 : 0]!;
    const mandatory = !isOff(options, 'mandatory');
    const write = (writer: Writer): void => {
      writePublish(writer, number, sent, mandatory);
      encode(writer, number, event, encoding);
    };
    publish(link, number, write, event.body);
    return outstanding.add(sent, signal);
  };
  const inTurn = async (found: Promise<void> | undefined, signal: AbortSignal, go: () => Promise<SendReceipt>) => {
    // Wrapped in an object, because the next turn must not wait for this confirmation.
    const { confirmation } = await turns.take(found, signal, () => ({ confirmation: go() }));
    return confirmation;
  };
  const send: Outbox['send'] = (event, target, signal) => {
    try {
      throwIfAborted(signal);
      usable(link, channel);
      const sent = sentOf(target, event);
      const found = exchanges.found(sent);
      if (!found && turns.free) return hand(event, sent, target, signal);
      return inTurn(found, signal, () => hand(event, sent, target, signal));
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return {
    open: channel.open,
    send,
    abandon(error) {
      channel.drop();
      outstanding.settleAll(() => {
        const unknown = new Unknown(`the link was lost before the confirmation: ${error.message}`, { cause: error });
        return isPeersVerdict(error.cause) ? unknown.asPeersVerdict() : unknown;
      });
    },
  };
}

/** The channel to publish on now. Throws `Throttled` during an alarm, `NotConnected` while the channel is rebuilt. */
function usable(link: Link, channel: PublishChannel): number {
  const blocked = link.blocked();
  if (blocked !== undefined) {
    throw new Throttled(`the broker accepts no messages at present: ${blocked}`, BLOCKED_RETRY_MS);
  }
  const current = channel.current();
  if (current === undefined) throw new NotConnected('the publishing channel is being rebuilt');
  return current;
}

/** Exchange and routing key of an address: a queue is reached through the default exchange by its name. */
function sentOf({ address: { scheme, segments } }: TargetRequest, { id, body }: OutgoingEvent): Sent {
  const bytes = body.byteLength;
  const name = segments[0] ?? '';
  if (scheme === 'queue') return { exchange: '', routingKey: name, id, bytes };
  return { exchange: name, routingKey: segments.slice(1).join('.'), id, bytes };
}

/** Options of a target; the defaults are the safe choices. */
const isOff = (options: unknown, name: 'persistent' | 'mandatory'): boolean =>
  typeof options === 'object' && options !== null && Reflect.get(options, name) === false;

function publish(link: Link, channel: number, write: (writer: Writer) => void, body: Uint8Array): void {
  try {
    link.outgoing.publish(channel, write, body);
  } catch (error) {
    if (error instanceof RangeError) throw new TooLarge('headers that are too large for an AMQP frame');
    throw error;
  }
}

/**
 * What a confirmation means. The broker returns an unroutable message before it confirms it. A queue that is missing, full or
 * out of service is no concern of the others, so each of these is about the place.
 */
const judgeTaken: Judge = (sent, isReturned) =>
  isReturned ? new Transient(unroutable(sent)).concerning('place') : undefined;

const refused: Judge = (sent) =>
  new Transient(`${whereTo(sent)}: the broker could not take it (nack)`).concerning('place');

const unroutable = (sent: Sent): string =>
  sent.exchange === ''
    ? `${whereTo(sent)} does not exist: create it, or list it under "declare"`
    : `no queue is bound for ${whereTo(sent)}: bind one, or set "mandatory: false" if the message may be lost`;
