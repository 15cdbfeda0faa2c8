import { decodeUtf8, type OutgoingEvent } from '@magpie/contract';
import type { CommandStep } from '../codec/stanza/command.ts';
import { resultElement } from '../codec/stanza/data-form.ts';
import { textOf } from './form-plan.ts';
import { isRecord } from './is-record.ts';

/** Said where a route says nothing. */
export const DONE = 'Done.';
/** Said of an answer that is no text, or too long for here. */
const ELSEWHERE = 'The answer comes as a message.';

/** How an answer of a route ends a command. */
export type CommandEnd = Pick<CommandStep, 'note' | 'form'> & {
  /** Whether that says all of it. */
  readonly isWhole: boolean;
};

/** Longest answer that a command ends with, bytes, also as the XML that it becomes: what is longer is a message. */
const MOST_BYTES = 32 * 1024;
/** What the core calls answers that say that there is none. */
const FAILED = new Set(['timeout', 'refused']);

/** The end of a command by what a route answers: text as a note, a JSON object as a form with its values. */
export function commandEnd({ body, type }: Pick<OutgoingEvent, 'body' | 'type'>, title: string): CommandEnd {
  const text = body.byteLength > MOST_BYTES ? undefined : decodeUtf8(body);
  if (text === undefined || text.includes('\0')) return NOT_HERE;
  if (FAILED.has(type ?? '')) return { note: { type: 'error', text }, isWhole: true };
  const values = valuesIn(text);
  if (!values) return { note: { type: 'info', text: text.trim() === '' ? DONE : text }, isWhole: true };
  const form = resultElement(title, values);
  // A field is many times as long as what it says in JSON, and a stanza that is too large costs the link.
  if (Buffer.byteLength(form.toString()) > MOST_BYTES) return NOT_HERE;
  return { note: { type: 'info', text: DONE }, form, isWhole: true };
}

const NOT_HERE: CommandEnd = { note: { type: 'info', text: ELSEWHERE }, isWhole: false };

function valuesIn(text: string): ReadonlyArray<readonly [string, string]> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? Object.entries(value).map(([name, inner]) => [name, textOf(inner)]) : undefined;
  } catch {
    return undefined;
  }
}
