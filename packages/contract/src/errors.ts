/** How the gateway treats an error of a class. */
export interface ErrorClass {
  readonly code: string;
  /** Whether trying again can help. */
  readonly retryable: boolean;
  /** Whether it suspends the whole target (an outage) instead of counting as a refusal of this delivery. */
  readonly suspends: boolean;
  readonly meaning: string;
}

/** The closed error taxonomy: everything an adapter may throw. The documentation page is generated from this table. */
export const ERROR_CLASSES = {
  NotConnected: {
    code: 'not-connected',
    retryable: true,
    suspends: true,
    meaning: 'The link is down or was lost before the operation was handed over. The supervisor reconnects.',
  },
  Transient: {
    code: 'transient',
    retryable: true,
    suspends: false,
    meaning: 'This one was refused for now (a nack, a full queue). Five in a row across lanes suspend the target.',
  },
  Throttled: {
    code: 'throttled',
    retryable: true,
    suspends: true,
    meaning: 'The other side asks to slow down; `retryAfter` says for how many milliseconds.',
  },
  Unknown: {
    code: 'unknown-outcome',
    retryable: true,
    suspends: true,
    meaning: 'Handed over, but the link was lost before a confirmation: it may have arrived. Resent with the same id.',
  },
  Rejected: {
    code: 'rejected',
    retryable: false,
    suspends: false,
    meaning: 'This message will never be accepted (no such place, not permitted, malformed).',
  },
  TooLarge: {
    code: 'too-large',
    retryable: false,
    suspends: false,
    meaning: 'The message exceeds a size limit of the protocol, the peer or the gateway.',
  },
  AuthFailed: {
    code: 'auth-failed',
    retryable: true,
    suspends: true,
    meaning: 'The credentials were refused. After three in a row the supervisor slows down and raises an alarm.',
  },
  Conflict: {
    code: 'conflict',
    retryable: false,
    suspends: true,
    meaning: 'Another client has taken our identity. The connection stops with an alarm instead of fighting for it.',
  },
  ConfigInvalid: {
    code: 'config-invalid',
    retryable: false,
    suspends: true,
    meaning: 'The configuration cannot work, as only the other side could tell (for example a queue of another type).',
  },
  Aborted: {
    code: 'aborted',
    retryable: true,
    suspends: true,
    meaning: 'The caller cancelled the operation by its signal.',
  },
} as const satisfies Record<string, ErrorClass>;

export type ErrorName = keyof typeof ERROR_CLASSES;

/** Base of the taxonomy. `name` is the class, `code` its stable spelling in JSON, logs and metrics. */
export abstract class MagpieError extends Error {
  abstract override readonly name: ErrorName;

  get code(): string {
    return ERROR_CLASSES[this.name].code;
  }

  get retryable(): boolean {
    return ERROR_CLASSES[this.name].retryable;
  }

  get suspends(): boolean {
    return ERROR_CLASSES[this.name].suspends;
  }
}

export class NotConnected extends MagpieError {
  override readonly name = 'NotConnected';
}

export class Transient extends MagpieError {
  override readonly name = 'Transient';
}

export class Throttled extends MagpieError {
  override readonly name = 'Throttled';
  /** Milliseconds to wait. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

export class Unknown extends MagpieError {
  override readonly name = 'Unknown';
}

export class Rejected extends MagpieError {
  override readonly name = 'Rejected';
}

export class TooLarge extends MagpieError {
  override readonly name = 'TooLarge';
}

export class AuthFailed extends MagpieError {
  override readonly name = 'AuthFailed';
}

export class Conflict extends MagpieError {
  override readonly name = 'Conflict';
}

export class Aborted extends MagpieError {
  override readonly name = 'Aborted';
}

/** Where a configuration is wrong. `line` and `column` count from 1. */
export interface ConfigPosition {
  readonly path?: string;
  readonly line?: number;
  readonly column?: number;
}

export class ConfigInvalid extends MagpieError {
  override readonly name = 'ConfigInvalid';
  readonly path: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(message: string, position: ConfigPosition = {}, options?: ErrorOptions) {
    super(message, options);
    this.path = position.path;
    this.line = position.line;
    this.column = position.column;
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
