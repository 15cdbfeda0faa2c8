import { type Clock, type MagpieError, NotConnected } from '@magpie/contract';

/** A link closed by the broker within this time after the login counts as short, ms. */
const SHORT_MS = 10_000;
/** Number of short links in a row that is reported. */
const SUSPICIOUS = 3;

/**
 * Detects that the broker closes links shortly after accepting the login, without a reason. On MQTT 3.1.1, and with
 * brokers that send no reason, this is the sign of two clients with the same client id: each login ends the other's
 * link.
 */
export class ShortLinks {
  readonly #clock: Clock;
  readonly #clientId: string;
  #count = 0;
  #openedAt = 0;

  constructor(clock: Clock, clientId: string) {
    this.#clock = clock;
    this.#clientId = clientId;
  }

  /** Called when the broker has accepted a login. */
  opened(): void {
    this.#openedAt = this.#clock.monotonic();
  }

  /** The error to report for an ended link; `isSilent`: the broker closed it without a reason. Called once per link. */
  explain(error: MagpieError, isSilent: boolean): MagpieError {
    const isShort = this.#clock.monotonic() - this.#openedAt < SHORT_MS;
    this.#count = isSilent && isShort ? this.#count + 1 : 0;
    if (this.#count < SUSPICIOUS) return error;
    const what = `${error.message}, ${this.#count} times in a row within ${SHORT_MS / 1000} s of the login`;
    const cause = `another client may use the client id "${this.#clientId}", or the broker refuses what we send`;
    return new NotConnected(`${what}: ${cause}; give every gateway its own clientId`, { cause: error });
  }
}
