import type { DeadLetter, DeadLetterReason, Position } from '@magpie/bus';
import { type Event, type MagpieError, newRef } from '@magpie/contract';
import type { StateWriter } from './state-writer.ts';

/** What a dead letter is made of. Without `consumer` and `position` the event never entered the log. */
export interface DeadLetterParts {
  readonly event: Event;
  /** When it was given up, ms since the epoch. */
  readonly at: number;
  readonly consumer?: string;
  readonly position?: Position;
  readonly reason: DeadLetterReason;
  readonly error: Pick<MagpieError, 'name' | 'message'>;
  readonly attempts?: DeadLetter['attempts'];
  readonly rendered?: NonNullable<DeadLetter['rendered']>;
  /** Default: a new one. Given where the same letter may be made again after a crash. */
  readonly id?: string;
}

/** Makes a dead letter. Pure but for the new id. */
export const deadLetter = ({ event, error, attempts = [], id = newRef(), ...parts }: DeadLetterParts): DeadLetter => ({
  ...parts,
  id,
  error: error.name,
  message: error.message,
  attempts,
  event,
});

/**
 * Ends a delivery with its dead letter and the outcome that a trace shows; resolves when both are durable. `state` is what
 * the outcome says.
 */
export function putDeadLetter(
  writer: Pick<StateWriter, 'outcome' | 'commit'>,
  letter: DeadLetter,
  state: 'dead' | 'bounced' = 'dead',
): Promise<unknown> {
  const { event, consumer, at, attempts, message } = letter;
  if (consumer !== undefined)
    writer.outcome({ ref: event.ref, consumer, state, at, attempts: attempts.length, error: message });
  return writer.commit({ deadLetters: { put: [letter] } });
}
