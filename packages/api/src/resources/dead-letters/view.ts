import type { Attempt, DeadLetter } from '@magpie/bus';
import { eventToJson, headerValueToJson, showBody } from '@magpie/contract';
import type { Gateway } from '@magpie/core';
import { iso } from '../time.ts';

/** A dead letter in a list: why and what for, without the message. */
export const summarize = ({ book }: Gateway, { id, at, consumer, reason, error, message, ...rest }: DeadLetter) => ({
  id,
  at: iso(at),
  ...(consumer === undefined ? {} : { consumer }),
  reason,
  error,
  message,
  attempts: rest.attempts.length,
  ref: rest.event.ref,
  source: rest.event.source,
  address: book.format(rest.event.address),
});

/** A dead letter with everything needed to understand it: each attempt, the event, the message as it was sent. */
export function showDeadLetter(gateway: Gateway, letter: DeadLetter) {
  const { position, event, rendered } = letter;
  const { attempts: _, ...summary } = summarize(gateway, letter);
  return {
    ...summary,
    attempts: letter.attempts.map(showAttempt),
    ...(position === undefined ? {} : { position }),
    event: eventToJson(event, gateway.book),
    ...(rendered ? { rendered: showRendered(gateway, rendered) } : {}),
  };
}

/** A refused attempt. */
export const showAttempt = ({ at, error, message }: Attempt) => ({ at: iso(at), error, message });

function showRendered({ book }: Gateway, { outgoing, target }: NonNullable<DeadLetter['rendered']>) {
  const { body, headers, replyTo, time, expiresAt, trace, ref: _, ...plain } = outgoing;
  return {
    to: book.format(target.address),
    options: target.options,
    ...plain,
    time: iso(time),
    ...(expiresAt === undefined ? {} : { expiresAt: iso(expiresAt) }),
    ...showBody(body, plain.contentType),
    headers: headers.map(([name, value]) => [name, headerValueToJson(value)] as const),
    ...(replyTo === undefined ? {} : { replyTo: book.format(replyTo) }),
    ...trace,
  };
}
