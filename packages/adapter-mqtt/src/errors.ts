import { tlsAdvice } from '@magpie/adapter-kit';
import {
  AuthFailed,
  ConfigInvalid,
  Conflict,
  type MagpieError,
  NotConnected,
  Rejected,
  Throttled,
  TooLarge,
  Transient,
} from '@magpie/contract';

/** The packet that carried a reason code: the answer to our CONNECT, PUBLISH or SUBSCRIBE, or a DISCONNECT. */
export type Reply = 'connect' | 'publish' | 'subscribe' | 'disconnect';

type ErrorKind =
  | 'NotConnected'
  | 'AuthFailed'
  | 'Conflict'
  | 'ConfigInvalid'
  | 'Rejected'
  | 'TooLarge'
  | 'Throttled'
  | 'Transient';

/** Meaning of a reason code and its error class per reply; the default is that of the reply. */
type Reason = { readonly meaning: string } & Partial<Readonly<Record<Reply, ErrorKind>>>;

const DEFAULTS: Readonly<Record<Reply, ErrorKind>> = {
  connect: 'NotConnected',
  publish: 'Transient',
  subscribe: 'NotConnected',
  disconnect: 'NotConnected',
};

const permanent = { connect: 'ConfigInvalid', publish: 'Rejected', subscribe: 'ConfigInvalid' } as const;

/** Every failure code of MQTT 3.1.1 (1 to 5, section 3.2.2.3) and MQTT 5 (0x80 and above, section 2.4). */
export const REASONS: Readonly<Record<number, Reason>> = {
  1: { meaning: 'unacceptable protocol version', connect: 'ConfigInvalid' },
  2: { meaning: 'client id rejected', connect: 'ConfigInvalid' },
  3: { meaning: 'server unavailable' },
  4: { meaning: 'bad user name or password', connect: 'AuthFailed' },
  5: { meaning: 'not authorized', connect: 'AuthFailed' },
  128: { meaning: 'unspecified error', subscribe: 'ConfigInvalid' },
  129: { meaning: 'malformed packet', publish: 'Rejected' },
  130: { meaning: 'protocol error', publish: 'Rejected' },
  131: { meaning: 'implementation specific error' },
  132: { meaning: 'unsupported protocol version', connect: 'ConfigInvalid' },
  133: { meaning: 'client id not valid', connect: 'ConfigInvalid' },
  134: { meaning: 'bad user name or password', connect: 'AuthFailed' },
  135: { ...permanent, meaning: 'not authorized', connect: 'AuthFailed', disconnect: 'AuthFailed' },
  136: { meaning: 'server unavailable' },
  137: { meaning: 'server busy', publish: 'Throttled' },
  138: { meaning: 'banned', connect: 'AuthFailed', disconnect: 'AuthFailed' },
  139: { meaning: 'server shutting down' },
  140: { meaning: 'bad authentication method', connect: 'ConfigInvalid' },
  141: { meaning: 'keep alive timeout' },
  142: { meaning: 'session taken over: another client uses our client id', disconnect: 'Conflict' },
  143: { ...permanent, meaning: 'topic filter invalid' },
  144: { ...permanent, meaning: 'topic name invalid' },
  145: { meaning: 'packet identifier in use' },
  146: { meaning: 'packet identifier not found' },
  147: { meaning: 'receive maximum exceeded', publish: 'Throttled' },
  148: { meaning: 'topic alias invalid' },
  149: { ...permanent, meaning: 'packet too large', publish: 'TooLarge' },
  150: { meaning: 'message rate too high', publish: 'Throttled' },
  151: { meaning: 'quota exceeded', publish: 'Throttled' },
  152: { meaning: 'administrative action' },
  153: { ...permanent, meaning: 'payload format invalid' },
  154: { ...permanent, meaning: 'retain not supported' },
  155: { ...permanent, meaning: 'QoS not supported' },
  156: { meaning: 'use another server', connect: 'ConfigInvalid', disconnect: 'ConfigInvalid' },
  157: { meaning: 'server moved', connect: 'ConfigInvalid', disconnect: 'ConfigInvalid' },
  158: { ...permanent, meaning: 'shared subscriptions not supported' },
  159: { meaning: 'connection rate exceeded' },
  160: { meaning: 'maximum connect time' },
  161: { ...permanent, meaning: 'subscription identifiers not supported' },
  162: { ...permanent, meaning: 'wildcard subscriptions not supported' },
};

/** How long a target waits after the broker asked to slow down, ms; MQTT has no field for it. */
const RETRY_AFTER = 1000;

const make: Readonly<Record<ErrorKind, (message: string) => MagpieError>> = {
  NotConnected: (message) => new NotConnected(message),
  AuthFailed: (message) => new AuthFailed(message),
  Conflict: (message) => new Conflict(message),
  ConfigInvalid: (message) => new ConfigInvalid(message),
  Rejected: (message) => new Rejected(message),
  TooLarge: (message) => new TooLarge(message),
  Throttled: (message) => new Throttled(message, RETRY_AFTER),
  Transient: (message) => new Transient(message),
};

/**
 * The error for a reason code of 0x80 and above (3.1.1: not 0).
 * @param what What the broker answered, for the message: `the broker refused the login`.
 * @param detail The broker's own Reason String, where it sent one.
 */
export function reasonError(reply: Reply, code: number, what: string, detail?: string): MagpieError {
  const reason = REASONS[code] ?? { meaning: 'unknown reason' };
  const said = detail === undefined || detail === '' ? '' : ` ("${detail}")`;
  const kind = reason[reply] ?? DEFAULTS[reply];
  const error = make[kind](`${what}: ${reason.meaning}${said}, reason code 0x${hex(code)}`);
  // A quota may be one of the topic. Where it is one of the client every topic finds out by itself.
  return reply === 'publish' && kind === 'Throttled' ? error.concerning('place') : error;
}

/**
 * Codes of a DISCONNECT that name a packet of ours: malformed, protocol error, topic name, packet too large, payload format,
 * retain, QoS. Not authorized is none of them: it may mean the login as well.
 */
const NAMES_PACKET: ReadonlySet<number> = new Set([0x81, 0x82, 0x90, 0x95, 0x99, 0x9a, 0x9b]);

/** Whether a DISCONNECT with this code says that one of our messages can never be accepted. */
export const condemnsMessage = (code: number): boolean => NAMES_PACKET.has(code);

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(2, '0');

/** The error for a socket that could not be opened or broke. `where` is host and port. */
export function socketError(where: string, error: Error): MagpieError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const text = error.message === '' ? code : error.message;
  const advice = tlsAdvice(error) ?? 'check the url and whether the broker runs';
  return new NotConnected(`no link to ${where}: ${text}; ${advice}`, { cause: error });
}
