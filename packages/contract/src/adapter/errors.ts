/**
 * What an error is about: the link and with it everything on the connection, one place (a room, a queue, a topic) while others
 * take messages, or this one message.
 */
export type Concern = 'link' | 'place' | 'message';

/** How the gateway treats an error of a class. */
export interface ErrorClass {
  /** Stable spelling in JSON, logs and metrics. */
  readonly code: string;
  /** Whether trying again can help. */
  readonly retryable: boolean;
  /** Whether it suspends the whole target (an outage) instead of counting as a refusal of this delivery. */
  readonly suspends: boolean;
  /** What it is about unless the adapter says otherwise, see `MagpieError.concerning`. */
  readonly concerns: Concern;
  /** For users, one or two sentences. */
  readonly meaning: string;
}

/** The closed error taxonomy: everything an adapter may throw. The documentation page is generated from this table. */
export const ERROR_CLASSES = {
  NotConnected: {
    code: 'not-connected',
    retryable: true,
    suspends: true,
    concerns: 'link',
    meaning: 'The link is down or was lost before the operation was handed over. The supervisor reconnects.',
  },
  Transient: {
    code: 'transient',
    retryable: true,
    suspends: false,
    concerns: 'message',
    meaning:
      'This one was refused for now. Five in a row across lanes suspend the target. About a place (a queue that is missing or full) it suspends that place alone.',
  },
  Throttled: {
    code: 'throttled',
    retryable: true,
    suspends: true,
    concerns: 'link',
    meaning: 'The other side asks to slow down; `retryAfter` says for how many milliseconds.',
  },
  Unknown: {
    code: 'unknown-outcome',
    retryable: true,
    suspends: true,
    concerns: 'link',
    meaning: 'Handed over, but the link was lost before a confirmation: it may have arrived. Resent with the same id.',
  },
  Rejected: {
    code: 'rejected',
    retryable: false,
    suspends: false,
    concerns: 'message',
    meaning: 'This message will never be accepted (no such place, not permitted, malformed).',
  },
  TooLarge: {
    code: 'too-large',
    retryable: false,
    suspends: false,
    concerns: 'message',
    meaning: 'The message exceeds a size limit of the protocol, the peer or the gateway.',
  },
  AuthFailed: {
    code: 'auth-failed',
    retryable: true,
    suspends: true,
    concerns: 'link',
    meaning: 'The credentials were refused. After three in a row there is an alarm and one attempt every 30 s.',
  },
  Conflict: {
    code: 'conflict',
    retryable: false,
    suspends: true,
    concerns: 'link',
    meaning: 'Another client has taken our identity. The connection stops with an alarm instead of fighting for it.',
  },
  ConfigInvalid: {
    code: 'config-invalid',
    retryable: false,
    suspends: true,
    concerns: 'link',
    meaning: 'The configuration cannot work, as only the other side could tell (for example a queue of another type).',
  },
  Aborted: {
    code: 'aborted',
    retryable: true,
    suspends: true,
    concerns: 'link',
    meaning: 'The caller cancelled the operation by its signal.',
  },
} as const satisfies Record<string, ErrorClass>;

/** The name of a class of the taxonomy, as `error.name` has it. */
export type ErrorName = keyof typeof ERROR_CLASSES;

/**
 * Base of the taxonomy; nobody makes one of its own. `name` is the class, `code` its stable spelling in JSON, logs and
 * metrics. Every message says what was expected, what came instead, where, and what to do; it never holds a secret or a
 * body. The library's error goes into `cause`.
 */
export abstract class MagpieError extends Error {
  abstract override readonly name: ErrorName;

  /** Stable spelling in JSON, logs and metrics. */
  get code(): string {
    return ERROR_CLASSES[this.name].code;
  }

  /** Whether trying again can help. */
  get retryable(): boolean {
    return ERROR_CLASSES[this.name].retryable;
  }

  /** Whether it suspends the whole target; an error that concerns a place or a message never does. */
  get suspends(): boolean {
    return ERROR_CLASSES[this.name].suspends && this.concerns === 'link';
  }

  /**
   * Whether it suspends the one place that it concerns: refused for now, or until its cause there is fixed. A
   * final no (`Rejected`, `TooLarge`) ends the delivery like everywhere.
   */
  get suspendsPlace(): boolean {
    const { retryable, suspends } = ERROR_CLASSES[this.name];
    return this.concerns === 'place' && (retryable || suspends);
  }

  #concerns: Concern | undefined;
  #isPeersVerdict = false;

  /** What it is about. */
  get concerns(): Concern {
    return this.#concerns ?? ERROR_CLASSES[this.name].concerns;
  }

  /**
   * Whether the other side ended the link and named what we sent as the reason (a protocol or policy error): a message that
   * was alone on the link is then given up at once.
   */
  get isPeersVerdict(): boolean {
    return this.#isPeersVerdict;
  }

  /**
   * Says what the error is about where its class does not: a room that refuses us concerns that place alone. Called by an
   * adapter when it makes the error; returns the error.
   */
  concerning(concern: Concern): this {
    this.#concerns = concern;
    return this;
  }

  /** Marks an `Unknown` whose link was ended by the other side because of what we sent; returns the error. */
  asPeersVerdict(): this {
    this.#isPeersVerdict = true;
    return this;
  }
}

/**
 * The link is down, or was lost before anything was handed over. An adapter throws it from `connect`, `receive` and `probe`
 * when the other side cannot be reached or is silent, and from `send` only while the message certainly has not left;
 * afterwards it is `Unknown`.
 */
export class NotConnected extends MagpieError {
  override readonly name = 'NotConnected';
}

/**
 * This one message was refused for now, and the link is fine. It costs the delivery an attempt, so never throw it for an
 * outage. A place that takes nothing at present (a queue that is missing, full or out of service) is `.concerning('place')`:
 * then it costs no attempt, and others go on.
 */
export class Transient extends MagpieError {
  override readonly name = 'Transient';
}

/** The other side asks to slow down, or takes nothing at present (an alarm). It costs no attempt. */
export class Throttled extends MagpieError {
  override readonly name = 'Throttled';
  /** Milliseconds to wait. */
  readonly retryAfter: number;

  /** `retryAfter` is in ms, as the other side asks or a second or so where it names no time. */
  constructor(message: string, retryAfter: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

/**
 * Handed over, but no confirmation came: the link was lost, or the time for it is over. The message may have arrived; it is
 * sent again with the same `delivery` and `redelivered: true`.
 */
export class Unknown extends MagpieError {
  override readonly name = 'Unknown';
}

/**
 * This message will never be accepted: malformed, not permitted, no such place. It becomes a dead letter at once, so an
 * adapter throws it only when the other side's word is final. Also thrown by `AddressScheme.parse`.
 */
export class Rejected extends MagpieError {
  override readonly name = 'Rejected';
}

/** The message exceeds a size limit of the protocol, the peer or the configuration; the message names the limit. As final as `Rejected`. */
export class TooLarge extends MagpieError {
  override readonly name = 'TooLarge';
}

/** The credentials were refused while connecting, or the other side ended the link for want of permission. Not for a single message or source. */
export class AuthFailed extends MagpieError {
  override readonly name = 'AuthFailed';
}

/** Another client has taken our identity. Passed to `lost` or thrown by `connect`; the connection then stops instead of fighting for it. */
export class Conflict extends MagpieError {
  override readonly name = 'Conflict';
}

/** The caller's signal has fired. For a send already handed over the outcome is unknown. */
export class Aborted extends MagpieError {
  override readonly name = 'Aborted';
}

/**
 * The configuration cannot work. An adapter throws it from `connect` for what only the other side or a file could tell: an
 * unreadable certificate, a queue declared with other arguments. The connection then waits a minute and raises an alarm. A
 * single source that is refused is no reason: it is reported by `detail`.
 */
export class ConfigInvalid extends MagpieError {
  override readonly name = 'ConfigInvalid';
  /** RFC 6901 pointer of the key within the connection, such as `/tls/ca`; undefined when it is none in particular. */
  readonly pointer: string | undefined;

  /** `pointer` begins the message. */
  constructor(message: string, { pointer, ...options }: ErrorOptions & { readonly pointer?: string } = {}) {
    super(pointer === undefined ? message : `${pointer}: ${message}`, options);
    this.pointer = pointer;
  }
}

/** The message of anything thrown, for logs and status. */
export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A taxonomy error as it is; anything else (a bug, a library surprise) as `Transient` with the original as cause. */
export const toMagpieError = (error: unknown): MagpieError =>
  error instanceof MagpieError ? error : new Transient(errorMessage(error), { cause: error });

/** Throws `Aborted` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new Aborted('cancelled', { cause: signal.reason });
}
