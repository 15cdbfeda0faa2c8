import { attribute, type Element, isAnswer, isStanza } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { StreamViolation } from './stream-guard.ts';

/**
 * Where a client's stream is between its first byte and its end. It only moves by what we have sent or by an answer to that,
 * and it moves while the answer is being handled: what follows in the same read is judged by the new phase.
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

/** What the server may send in each phase, as `namespace name`; `stanza` is any message, presence or iq. */
const EXPECTED: Readonly<Record<Phase, ReadonlySet<string>>> = {
  // RFC 6120 §4.2: we have sent the header of a stream; nothing of an old stream counts any more.
  opening: new Set(),
  // RFC 6120 §4.3.2: the features come first, and again on each new stream after STARTTLS and SASL.
  features: new Set([`${NS.stream} features`]),
  // RFC 6120 §5.4.2.
  tls: new Set([`${NS.tls} proceed`, `${NS.tls} failure`]),
  // RFC 6120 §6.4.
  sasl: new Set([`${NS.sasl} challenge`, `${NS.sasl} success`, `${NS.sasl} failure`]),
  // XEP-0198 §5: the answer to our <resume/>.
  resume: new Set([`${SM} resumed`, `${SM} failed`]),
  // RFC 6120 §7.6: the answer to our request for a resource; nobody can address us before it.
  bind: new Set(['answer']),
  bound: new Set(['stanza']),
  // XEP-0198 §3: the answer to our <enable/>; stanzas for the bound resource may come before it.
  enable: new Set([`${SM} enabled`, `${SM} failed`, 'stanza']),
  managed: new Set([`${SM} r`, `${SM} a`, 'stanza']),
  unmanaged: new Set(['stanza']),
};

/**
 * Throws `StreamViolation` on an element that nothing of ours has asked for in this phase, so that a peer cannot skip TLS,
 * the login or its proof, or make up an answer. A stream error may come at any time (RFC 6120 §4.9.1).
 * @param asked the id of the iq that we have sent in this phase.
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
    `the server sent <${element.getName()} xmlns='${element.getNS() ?? ''}'> in the phase "${phase}", where it has no place: expected ${names}. It is broken, or somebody stands between us and it`,
  );
}

const isAnswerTo = (element: Element, asked: string | undefined): boolean =>
  element.getName() === 'iq' && isAnswer(element) && asked !== undefined && attribute(element, 'id') === asked;
