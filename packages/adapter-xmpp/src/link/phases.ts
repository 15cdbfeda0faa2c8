import { attribute, type Element, isAnswer, isStanza } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { StreamViolation } from './stream-guard.ts';

/**
 * The phase of a client's stream. It changes only when we send something or handle the answer to it, and it changes
 * while the answer is handled: the rest of the same read is checked by the new phase.
 */
export type Phase =
  | 'opening'
  | 'features'
  | 'tls'
  | 'sasl'
  | 'resume'
  | 'bind'
  | 'bound'
  | 'enable'
  | 'managed'
  | 'unmanaged';

const SM = NS.streamManagement;

/** Elements that the server may send in each phase, as `namespace name`; `stanza` is any message, presence or iq. */
const EXPECTED: Readonly<Record<Phase, ReadonlySet<string>>> = {
  // RFC 6120 §4.2: we have sent a stream header; the rest of an old stream is ignored.
  opening: new Set(),
  // RFC 6120 §4.3.2: the features come first, and again on each new stream after STARTTLS and SASL.
  features: new Set([`${NS.stream} features`]),
  // RFC 6120 §5.4.2.
  tls: new Set([`${NS.tls} proceed`, `${NS.tls} failure`]),
  // RFC 6120 §6.4.
  sasl: new Set([`${NS.sasl} challenge`, `${NS.sasl} success`, `${NS.sasl} failure`]),
  // XEP-0198 §5: the answer to our <resume/>.
  resume: new Set([`${SM} resumed`, `${SM} failed`]),
  // RFC 6120 §7.6: the answer to our request for a resource; no stanza can be addressed to us before.
  bind: new Set(['answer']),
  bound: new Set(['stanza']),
  // XEP-0198 §3: the answer to our <enable/>; stanzas for the bound resource may come before it.
  enable: new Set([`${SM} enabled`, `${SM} failed`, 'stanza']),
  managed: new Set([`${SM} r`, `${SM} a`, 'stanza']),
  unmanaged: new Set(['stanza']),
};

/**
 * Throws `StreamViolation` on an element that is not expected in this phase, so that a peer cannot skip TLS, the login
 * or its proof, or invent an answer. A stream error may come at any time (RFC 6120 §4.9.1).
 * @param asked id of the iq we sent in this phase.
 */
export function expectElement(phase: Phase, element: Element, asked: string | undefined): void {
  const name = `${element.getNS() ?? ''} ${element.getName()}`;
  if (name === `${NS.stream} error`) return;
  const expected = EXPECTED[phase];
  if (expected.has(name)) return;
  const stanza = isStanza(element, NS.client);
  if (stanza && expected.has('stanza')) return;
  if (stanza && expected.has('answer') && isAnswerTo(element, asked)) return;
  const names = [...expected].map((each) => each.split(' ').at(-1)).join(', ') || 'the header of its stream';
  throw new StreamViolation(
    `the server sent <${element.getName()} xmlns='${element.getNS() ?? ''}'> in the phase "${phase}": expected ${names}. The server is faulty, or an attacker is between us and it`,
  );
}

const isAnswerTo = (element: Element, asked: string | undefined): boolean =>
  element.getName() === 'iq' && isAnswer(element) && asked !== undefined && attribute(element, 'id') === asked;
