import type { Attempt, DeadLetter } from '@magpie/bus';
import {
  type AddressBook,
  addressText,
  errorMessage,
  eventToJson,
  headerValueToJson,
  isoInstant,
  jsonTextOr,
  placeholderOf,
  showBody,
} from '@magpie/contract';
import type { Gateway } from '@magpie/core';
import { bookOf } from '../events/view.ts';

/** A dead letter in a list: reason and target, without the message. */
export const summarize = (gateway: Gateway, { id, at, consumer, reason, error, message, ...rest }: DeadLetter) => ({
  id,
  at: isoInstant(at),
  ...(consumer === undefined ? {} : { consumer }),
  reason,
  error,
  message,
  attempts: rest.attempts.length,
  ref: rest.event.ref,
  source: rest.event.source,
  address: addressText(rest.event.address, bookOf(gateway, rest.event)),
});

/**
 * The JSON text of a dead letter. Never throws: parts that cannot be written are left out or replaced by a placeholder.
 */
export const deadLetterText = (gateway: Gateway, letter: DeadLetter): string =>
  jsonTextOr(showDeadLetter(gateway, letter), (reason) => {
    const { attempts: _, ...summary } = summarize(gateway, letter);
    const event = placeholderOf(letter.event, bookOf(gateway, letter.event), reason);
    return { ...summary, attempts: letter.attempts.map(showAttempt), event };
  });

/** A dead letter in full: attempts, the event, the message as sent. */
function showDeadLetter(gateway: Gateway, letter: DeadLetter) {
  const { position, event, rendered } = letter;
  const { attempts: _, ...summary } = summarize(gateway, letter);
  return {
    ...summary,
    attempts: letter.attempts.map(showAttempt),
    ...(position === undefined ? {} : { position }),
    event: eventToJson(event, bookOf(gateway, event)),
    ...(rendered ? { rendered: renderedOr(bookOfTarget(gateway, letter), rendered) } : {}),
  };
}

/** A refused attempt. */
export const showAttempt = ({ at, error, message }: Attempt) => ({ at: isoInstant(at), error, message });

/** The rendered message, or the reason why it cannot be shown. */
function renderedOr(book: AddressBook, rendered: NonNullable<DeadLetter['rendered']>): object {
  try {
    return showRendered(book, rendered);
  } catch (error) {
    const { target } = rendered;
    const to = addressText(target.address, book);
    return { to, options: target.options, headers: [], unreadable: errorMessage(error) };
  }
}

/** The address book of a dead letter's target; that of all connections once the target is no longer configured. */
const bookOfTarget = (gateway: Gateway, { consumer }: DeadLetter): AddressBook =>
  gateway.bookOf(gateway.targets().find((target) => target.consumer === consumer)?.connection);

function showRendered(book: AddressBook, { outgoing, target }: NonNullable<DeadLetter['rendered']>) {
  const { body, headers, replyTo, time, expiresAt, trace, ref: _, ...plain } = outgoing;
  return {
    to: book.format(target.address),
    options: target.options,
    ...plain,
    time: isoInstant(time),
    ...(expiresAt === undefined ? {} : { expiresAt: isoInstant(expiresAt) }),
    ...showBody(body, plain.contentType),
    headers: headers.map(([name, value]) => [name, headerValueToJson(value)] as const),
    ...(replyTo === undefined ? {} : { replyTo: book.format(replyTo) }),
    ...trace,
  };
}
