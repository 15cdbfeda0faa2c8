import type { Answer } from '@magpie/api';
import { BODY_FORMS, type BodyForms } from '@magpie/contract';
import { visible } from '@magpie/schema-messages';
import { table } from '../../output/table.ts';

type Headers = Answer<'deadLetter'>['event']['headers'];

/** Dead letters as a table. */
export function letterTable(letters: readonly Answer<'deadLetters'>['deadLetters'][number][]): string {
  if (letters.length === 0) return 'No matching dead letters.\n';
  const rows = letters.map(({ id, at, consumer = '-', reason, attempts, message }) => [
    id,
    at,
    consumer,
    reason,
    `${attempts}`,
    message.replace(/\s+/g, ' '),
  ]);
  return table(['ID', 'AT', 'TARGET', 'REASON', 'ATTEMPTS', 'MESSAGE'], rows);
}

/** A dead letter in full: reason, event, sent message and attempts. */
export function showLetter(letter: Answer<'deadLetter'>): string {
  const { id, at, consumer, reason, error, message, attempts, ref, source, address, event, rendered } = letter;
  const lines = [
    `dead letter ${id}`,
    `  at       ${at}`,
    `  target   ${consumer ?? 'none: the received message could not be stored'}`,
    `  reason   ${reason}: ${error}: ${message}`,
    `  event    ${ref} from ${source} at ${address}, received ${event.receivedAt}`,
    ...showForms(event),
    ...showHeaders(event.headers),
    ...(rendered ? [`  sent to  ${rendered.to}`, ...showForms(rendered), ...showHeaders(rendered.headers)] : []),
  ];
  const rows = attempts.map(({ at: when, error: name, message: why }, index) => [`${index + 1}`, when, name, why]);
  const attempted = rows.length > 0 ? `\n${table(['ATTEMPT', 'AT', 'ERROR', 'MESSAGE'], rows)}` : '';
  return `${lines.map(visible).join('\n')}\n${attempted}`;
}

const showForms = (forms: { readonly [Form in keyof BodyForms]?: unknown }): readonly string[] =>
  BODY_FORMS.flatMap((form) => {
    const value = forms[form];
    if (value === undefined) return [];
    return [`           ${form}: ${typeof value === 'string' ? value : JSON.stringify(value)}`];
  });

const showHeaders = (headers: Headers): readonly string[] =>
  headers.map(
    ([name, value]) => `           header ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
