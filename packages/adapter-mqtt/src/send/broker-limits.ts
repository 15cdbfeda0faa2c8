import type { Clock } from '@magpie/contract';
import type { Broker } from '../link/link.ts';

/** After so long on one link its limits count as the broker's rules, ms. */
const SETTLED_MS = 60_000;

/** What of a broker's CONNACK rules messages out [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15]. */
export type NamedLimits = Pick<Broker, 'maximumPacketSize' | 'maximumQoS' | 'retainAvailable'>;

const NONE: NamedLimits = { maximumPacketSize: Number.POSITIVE_INFINITY, maximumQoS: 2, retainAvailable: true };

/** What a message is to the broker: it `fits`, is `refused`, or is refused by a CONNACK that stands alone. */
export type LimitVerdict = 'fits' | 'doubted' | 'refused';

/**
 * The limits of a broker over the links of one connection. A limit that a broker names once (while it starts, or by mistake)
 * must not make dead letters of a backlog: it is believed when the CONNACK before said the same, or when the link has lasted.
 */
export class BrokerLimits {
  readonly #clock: Clock;
  #before = NONE;
  #now = NONE;
  #since = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The limits that the broker's latest CONNACK has named. */
  get now(): NamedLimits {
    return this.#now;
  }

  /** A CONNACK has named its limits. Called once per link. */
  named({ maximumPacketSize, maximumQoS, retainAvailable }: NamedLimits): void {
    this.#before = this.#now;
    this.#now = { maximumPacketSize, maximumQoS, retainAvailable };
    this.#since = this.#clock.monotonic();
  }

  /** Judges a message that some limits rule out. Called per message that the ones of now may rule out. */
  judge(isBeyond: (limits: NamedLimits) => boolean): LimitVerdict {
    if (!isBeyond(this.#now)) return 'fits';
    const isSettled = this.#clock.monotonic() - this.#since >= SETTLED_MS;
    return isBeyond(this.#before) || isSettled ? 'refused' : 'doubted';
  }
}
