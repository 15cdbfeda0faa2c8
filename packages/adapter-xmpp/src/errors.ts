import { tlsAdvice } from '@magpie/adapter-kit';
import {
  AuthFailed,
  type Concern,
  ConfigInvalid,
  Conflict,
  errorMessage,
  MagpieError,
  NotConnected,
  Rejected,
  Throttled,
  TooLarge,
  Transient,
  Unknown,
} from '@magpie/contract';
import { attribute, childElements, type Element } from './codec/stanza/element.ts';
import { NS } from './codec/stanza/namespaces.ts';

/** Pause after an error of type `wait` without a time, ms. */
const WAIT_MS = 5_000;

type Make = (message: string) => MagpieError;
const rejected: Make = (message) => new Rejected(message);
const transient: Make = (message) => new Transient(message);
const throttled: Make = (message) => new Throttled(message, WAIT_MS);
const offline: Make = (message) => new NotConnected(message);

interface Refusal {
  readonly make: Make;
  readonly concerns: Concern;
}

const message = (make: Make): Refusal => ({ make, concerns: 'message' });
const place = (make: Make): Refusal => ({ make, concerns: 'place' });

/**
 * Stanza errors (RFC 6120 §8.3.3) answered to a message we sent. Other conditions are classified by the error's type.
 */
export const STANZA_ERRORS: Readonly<Record<string, Refusal>> = {
  'bad-request': message(rejected),
  conflict: message(rejected),
  'feature-not-implemented': message(rejected),
  forbidden: place(rejected),
  gone: place(rejected),
  'internal-server-error': place(transient),
  'item-not-found': place(rejected),
  'jid-malformed': place(rejected),
  'not-acceptable': message(rejected),
  'not-allowed': place(rejected),
  'not-authorized': place(rejected),
  'policy-violation': place(throttled),
  'recipient-unavailable': place(transient),
  redirect: place(rejected),
  'registration-required': place(rejected),
  'remote-server-not-found': place(transient),
  'remote-server-timeout': place(transient),
  'resource-constraint': place(throttled),
  'service-unavailable': place(rejected),
  'subscription-required': place(rejected),
  'undefined-condition': message(rejected),
  'unexpected-request': message(transient),
};

/**
 * Answers of a room to a message or a self-ping that mean we are not in it: it dropped us, it was destroyed, or its
 * server restarted and forgot its occupants.
 */
const ABSENT: Readonly<Record<string, string>> = {
  'not-acceptable': 'the room no longer lists us as an occupant',
  'item-not-found': 'the room no longer exists',
  gone: 'the room no longer exists',
  'remote-server-not-found': 'the server of the room is unreachable',
  'remote-server-timeout': 'the server of the room is unreachable',
};

const BY_TYPE: Readonly<Record<string, Make>> = {
  auth: rejected,
  cancel: rejected,
  continue: transient,
  modify: rejected,
  wait: throttled,
};

/**
 * The condition of an `<error/>`, `<failure/>` or stream error: its first child that is not a text, and of a stanza's error one of
 * RFC 6120, beside which specifications have their own (ejabberd puts them first).
 */
export function conditionOf(error: Element): string {
  const children = childElements(error).filter((child) => child.name !== 'text');
  return (children.find((child) => child.getNS() === NS.stanzaErrors) ?? children[0])?.name ?? 'undefined-condition';
}

/** The reason why we are not in a room, from its error; undefined when the error means something else. */
export function absenceOf(stanza: Element): string | undefined {
  const error = attribute(stanza, 'type') === 'error' ? stanza.getChild('error') : undefined;
  return error && ABSENT[conditionOf(error)];
}

/** Whether a room refuses a message because we may not speak in it (XEP-0045 §7.4). */
export function isVoiceless(stanza: Element): boolean {
  const error = attribute(stanza, 'type') === 'error' ? stanza.getChild('error') : undefined;
  return error !== undefined && conditionOf(error) === 'forbidden';
}

/**
 * The taxonomy error of a stanza of type `error` that answers a message. A policy violation of type `modify` means
 * size.
 * @param room whether a room answers: if we are no longer in it, the message is sent again after rejoining.
 */
export function stanzaError(stanza: Element, room: boolean): MagpieError {
  const error = stanza.getChild('error');
  if (!error) return new Rejected('the server answered with an error that gives no reason');
  const condition = conditionOf(error);
  const type = attribute(error, 'type') ?? 'cancel';
  const text = error.getChild('text')?.getText();
  // XEP-0060 says more by an element of its own, such as payload-too-big.
  const more = childElements(error).find((child) => child.getNS() === NS.pubsubErrors)?.name;
  const sentence = `the server answered ${condition}${more ? ` (${more})` : ''}${text ? `: ${text}` : ''}`;
  const absent = room ? absenceOf(stanza) : undefined;
  if (absent !== undefined) return new NotConnected(`${sentence} (${absent})`).concerning('place');
  if (room && isVoiceless(stanza))
    return new NotConnected(`${sentence} (we have no voice in the room)`).concerning('place');
  if ((condition === 'policy-violation' && type === 'modify') || more === 'payload-too-big')
    return new TooLarge(sentence);
  const known = STANZA_ERRORS[condition];
  if (type === 'wait') return throttled(sentence).concerning('place');
  return (known?.make ?? BY_TYPE[type] ?? rejected)(sentence).concerning(known?.concerns ?? 'message');
}

/**
 * The taxonomy error of a service's refusal that is about a node: that it does not exist, or is not for us, holds what is for it until
 * its owner has changed that.
 */
export function nodeError(answer: Element): MagpieError {
  const error = stanzaError(answer, false);
  const isClosed = error instanceof Rejected && error.concerns === 'place';
  return isClosed ? new ConfigInvalid(error.message).concerning('place') : error;
}

/** The server ended the stream because one of our stanzas was too large. It does not say which one. */
export class StanzaTooBig extends NotConnected {
  /** The error for the stanza that must have been the cause. */
  refusal(bytes: number): TooLarge {
    return new TooLarge(`${this.message} over a stanza of ${bytes} bytes: set maxStanzaBytes to the server's limit`);
  }
}

/** Prosody, ejabberd and others put it into the text only; XEP-0205 defines an element. */
const isTooBig = (error: Element, text: string | undefined): boolean =>
  error.getChild('stanza-too-big') !== undefined ||
  (conditionOf(error) === 'policy-violation' && /too (big|large|long)|size limit/i.test(text ?? ''));

const STREAM_ERRORS: Readonly<Record<string, Make>> = {
  conflict: (message) => new Conflict(`${message}: another client has logged in with our resource`),
  'host-unknown': (message) => new ConfigInvalid(`${message}: the server does not serve the domain of our JID`),
  'host-gone': (message) => new ConfigInvalid(`${message}: the server does not serve the domain of our JID`),
  'not-authorized': (message) => new AuthFailed(message),
};

/** Stream errors caused by a stanza we sent, unless their text is about a rate limit. */
const BLAMES_US = new Set([
  'bad-format',
  'bad-namespace-prefix',
  'improper-addressing',
  'invalid-from',
  'invalid-namespace',
  'invalid-xml',
  'not-well-formed',
  'policy-violation',
  'restricted-xml',
  'unsupported-stanza-type',
]);

/** The error of a message in flight when the link was lost. */
export function lostOnTheWay(reason: MagpieError): Unknown {
  const lost = new Unknown(`the link was lost before the confirmation: ${reason.message}`);
  return reason.isPeersVerdict ? lost.asPeersVerdict() : lost;
}

/** The taxonomy error of a stream error (RFC 6120 §4.9.3). */
export function streamError(error: Element): MagpieError {
  const condition = conditionOf(error);
  const text = error.getChild('text')?.getText();
  const message = `the server ended the stream with ${condition}${text ? ` (${text})` : ''}`;
  if (isTooBig(error, text)) return new StanzaTooBig(message);
  const made = (STREAM_ERRORS[condition] ?? offline)(message);
  const blamed = BLAMES_US.has(condition) && !/too many|unacked|rate|flood|traffic/i.test(text ?? '');
  return blamed ? made.asPeersVerdict() : made;
}

/** SASL failures (RFC 6120 §6.5) that are temporary, not about the credentials. */
const SASL_TEMPORARY = new Set(['temporary-auth-failure', 'aborted']);

/** The taxonomy error of a refused login. */
export function saslError(failure: Element): MagpieError {
  const condition = conditionOf(failure);
  const text = failure.getChild('text', NS.sasl)?.getText();
  const message = `the server refused the login: ${condition}${text ? ` (${text})` : ''}`;
  return SASL_TEMPORARY.has(condition)
    ? new NotConnected(message)
    : new AuthFailed(`${message}: check jid and password`);
}

/**
 * Joining a room (XEP-0045 §7.2): the meaning of an error presence. A taken nick is retried with another one, and what says that
 * it is for now only (RFC 6120 §8.3.2) is no refusal, whatever its condition.
 */
export function joinError(room: string, presence: Element): MagpieError {
  const error = presence.getChild('error');
  const condition = error ? conditionOf(error) : 'undefined-condition';
  const hint = JOIN_HINTS[condition];
  const message = `cannot join ${room}: ${condition}${hint ? ` (${hint})` : ''}`;
  const isForNow = (error && attribute(error, 'type') === 'wait') || STANZA_ERRORS[condition]?.make === throttled;
  if (isForNow) return throttled(message).concerning('place');
  const made = hint && condition !== 'service-unavailable' ? new ConfigInvalid(message) : new NotConnected(message);
  return made.concerning('place');
}

const JOIN_HINTS: Readonly<Record<string, string>> = {
  'not-authorized': 'the room needs a password: set it under rooms',
  forbidden: 'we are banned from the room',
  'registration-required': 'the room is for members only and we are not a member',
  'not-allowed': 'the room does not exist and we may not create it',
  'service-unavailable': 'the room is full',
};

/** Converts an error of the library or a socket to a contract error about the link. */
export function linkError(error: unknown): MagpieError {
  if (error instanceof MagpieError) return error;
  const advice = tlsAdvice(error);
  return new NotConnected(
    `the link failed: ${errorMessage(error) || 'no reason given'}${advice === undefined ? '' : `; ${advice}`}`,
    {
      cause: error,
    },
  );
}
