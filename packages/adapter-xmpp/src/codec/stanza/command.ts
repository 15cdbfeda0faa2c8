import { attribute, childElements, type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';
import { readableText } from './xml-text.ts';

/** What somebody wants of a command (XEP-0050 §3). */
export interface CommandRequest {
  readonly node: string;
  readonly action: string;
  /** Undefined for the first step. */
  readonly session: string | undefined;
  /** The form that came with it. */
  readonly form: Element | undefined;
}

/** The request in an iq; undefined for any other iq, and for one that asks for more than that. */
export function commandIn(iq: Element): CommandRequest | undefined {
  const [command, ...others] = childElements(iq);
  if (!command?.is('command', NS.commands) || others.length > 0) return undefined;
  return {
    node: attribute(command, 'node') ?? '',
    action: attribute(command, 'action') ?? 'execute',
    session: attribute(command, 'sessionid'),
    form: command.getChild('x', NS.dataForms),
  };
}

/** Whether an iq has anything of a command in it. */
export const hasCommand = (iq: Element): boolean => iq.getChild('command', NS.commands) !== undefined;

/** How a command goes on after a step. */
export interface CommandStep {
  readonly node: string;
  readonly session: string;
  readonly status: 'executing' | 'completed' | 'canceled';
  readonly note?: { readonly type: 'info' | 'error'; readonly text: string };
  readonly form?: Element;
}

/** The answer to a step. A form can be completed or cancelled: there is no other one before or behind it. */
export function stepElement({ node, session, status, note, form }: CommandStep): Element {
  const step = xml('command', { xmlns: NS.commands, node, sessionid: session, status });
  if (status === 'executing') step.append(xml('actions', { execute: 'complete' }, xml('complete')));
  if (note) step.append(xml('note', { type: note.type }, readableText(note.text)));
  if (form) step.append(form);
  return step;
}

/** What XEP-0050 §4.4 adds to an error. */
export const commandCondition = (name: 'bad-action' | 'malformed-action' | 'bad-sessionid' | 'bad-payload'): Element =>
  xml(name, { xmlns: NS.commands });
