import { tlsAdvice } from '@magpie/adapter-kit';
import {
  AuthFailed,
  type Concern,
  ConfigInvalid,
  errorMessage,
  type MagpieError,
  NotConnected,
  Rejected,
  TooLarge,
  Transient,
} from '@magpie/contract';

/** Origin of a client library error: a link, or one of its channels. */
export type Stage = 'link' | 'channel';

/** One kind of wire error and what it means for the gateway. Rows are tried in order. */
export interface WireError {
  readonly stage: Stage;
  /** System error codes or AMQP reply codes; none means any. */
  readonly codes?: readonly (string | number)[];
  /** Must match the library's message too. */
  readonly text?: RegExp;
  readonly as: keyof typeof make;
  /** What it is about where the class does not say so: an exchange or queue that others need not wait for. */
  readonly concerns?: Concern;
  /** What to do about it; empty when the supervisor's next attempt is all. */
  readonly advice: string;
}

const make = {
  NotConnected: (message: string, cause: unknown) => new NotConnected(message, { cause }),
  AuthFailed: (message: string, cause: unknown) => new AuthFailed(message, { cause }),
  ConfigInvalid: (message: string, cause: unknown) => new ConfigInvalid(message, { cause }),
  Transient: (message: string, cause: unknown) => new Transient(message, { cause }),
  Rejected: (message: string, cause: unknown) => new Rejected(message, { cause }),
  TooLarge: (message: string, cause: unknown) => new TooLarge(message, { cause }),
} as const;

/** The one table from wire errors to contract errors. */
export const WIRE_ERRORS: readonly WireError[] = [
  {
    stage: 'link',
    text: /ACCESS.REFUSED/,
    as: 'AuthFailed',
    advice: 'check username and password, and that the user may log in from here',
  },
  {
    stage: 'link',
    text: /SASL mechanism EXTERNAL/,
    as: 'AuthFailed',
    advice:
      'a client certificate without a username logs in by EXTERNAL: enable it on the broker (plugin ' +
      'rabbitmq_auth_mechanism_ssl), or set username and password',
  },
  { stage: 'link', text: /SASL mechanism/, as: 'AuthFailed', advice: 'enable the PLAIN mechanism on the broker' },
  {
    stage: 'link',
    text: /Expected ConnectionOpenOk; got <ConnectionClose/,
    as: 'AuthFailed',
    advice:
      'the broker refused the virtual host: check that it exists, that the user has permissions on it, and its connection limit',
  },
  {
    stage: 'link',
    codes: ['ENOTFOUND', 'EAI_AGAIN'],
    as: 'NotConnected',
    advice: 'check the host in the url and the name service',
  },
  {
    stage: 'link',
    codes: ['ECONNREFUSED'],
    as: 'NotConnected',
    advice: 'check that the broker runs and that the port is right',
  },
  {
    stage: 'link',
    text: /Heartbeat timeout/,
    as: 'NotConnected',
    advice: 'the broker has been silent for two heartbeats',
  },
  {
    stage: 'link',
    text: /abruptly during opening|ECONNRESET/,
    as: 'NotConnected',
    advice: 'check that the port speaks AMQP 0-9-1, and TLS only with amqps://',
  },
  { stage: 'link', as: 'NotConnected', advice: '' },
  {
    stage: 'channel',
    text: /message size \d+/,
    as: 'TooLarge',
    advice: "raise the broker's max_message_size or send smaller messages",
  },
  { stage: 'channel', codes: [311], as: 'TooLarge', advice: 'send less' },
  {
    stage: 'channel',
    codes: [403],
    as: 'Rejected',
    advice: 'grant the permission with rabbitmqctl set_permissions or set_topic_permissions',
  },
  {
    stage: 'channel',
    codes: [404],
    as: 'Transient',
    concerns: 'place',
    advice: 'create it, or list it under "declare"',
  },
  {
    stage: 'channel',
    codes: [405],
    as: 'Transient',
    concerns: 'place',
    advice: 'another connection holds it exclusively',
  },
  { stage: 'channel', codes: [406, 540], as: 'Rejected', advice: '' },
  { stage: 'channel', as: 'Transient', advice: '' },
];

const NO_ROW = { as: 'Transient', advice: '' } as const;

/** The code of a library or system error: an AMQP reply code or a text such as `ECONNREFUSED`. */
export function errorCode(error: unknown): string | number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' || typeof error.code === 'number' ? error.code : undefined;
}

/**
 * Whether the broker cannot serve a queue at present although our request is valid: its node is down, its process is
 * restarting, or another connection holds it.
 */
export const isQueueOutage = (error: unknown): boolean =>
  errorCode(error) === 405 ||
  /home node|inaccessible|process is stopped|no leader|\btime(d )?out\b/i.test(wireReason(error));

/** Replies to a frame or method of ours that violates the protocol (AMQP 0-9-1, 1.3: 501 to 505, 540). */
const PROTOCOL_ERRORS: ReadonlySet<string | number | undefined> = new Set([501, 502, 503, 504, 505, 540]);

/** Whether the broker ended the link because of a frame we sent. */
export const isPeersVerdict = (error: unknown): boolean => PROTOCOL_ERRORS.has(errorCode(error));

/** The broker's message without the library's prefix. */
export const wireReason = (error: unknown): string =>
  /with message "(.*)"/s.exec(errorMessage(error))?.[1] ?? errorMessage(error);

/** A library error as a contract error. `where` begins the sentence: `amqp://127.0.0.1:5672`, `exchange "alarms"`. */
export function toContractError(stage: Stage, error: unknown, where: string): MagpieError {
  const code = errorCode(error);
  const message = errorMessage(error);
  const row = WIRE_ERRORS.find(
    ({ stage: at, codes, text }) =>
      at === stage && (!codes || (code !== undefined && codes.includes(code))) && (!text || text.test(message)),
  );
  const { as, concerns, advice: usual }: Pick<WireError, 'as' | 'concerns' | 'advice'> = row ?? NO_ROW;
  const advice = (stage === 'link' ? tlsAdvice(error) : undefined) ?? usual;
  const made = make[as](`${where}: ${wireReason(error)}${advice === '' ? '' : `; ${advice}`}`, error);
  return concerns === undefined ? made : made.concerning(concerns);
}
