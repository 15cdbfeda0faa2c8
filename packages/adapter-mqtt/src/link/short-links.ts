import { type Clock, type MagpieError, NotConnected } from '@magpie/contract';

/** A link that the broker closes sooner after the login is a short one, ms. */
const SHORT_MS = 10_000;
/** So many short links in a row are no accident. */
const SUSPICIOUS = 3;

/**
 * Notices that the broker closes one link after the other soon after it has accepted the login, without a word. On MQTT 3.1.1,
 * and with brokers that send no reason, that is how two clients with one client id look: each login ends the other's link.
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

  /** The broker has accepted a login. */
  opened(): void {
    this.#openedAt = this.#clock.monotonic();
  }

  /** The error to report for a link that has ended; `isSilent`: the broker closed it and gave no reason. Called once per link. */
  explain(error: MagpieError, isSilent: boolean): MagpieError {
    const isShort = this.#clock.monotonic() - this.#openedAt < SHORT_MS;
    this.#count = isSilent && isShort ? this.#count + 1 : 0;
    if (this.#count < SUSPICIOUS) return error;
    const what = `${error.message}, ${this.#count} times in a row within ${SHORT_MS / 1000} s of the login`;
    const cause = `another client may use the client id "${this.#clientId}", or the broker refuses what we send`;
    return new NotConnected(`${what}: ${cause}; give every gateway its own clientId`, { cause: error });
  }
}
