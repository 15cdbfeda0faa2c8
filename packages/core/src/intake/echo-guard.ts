import { createHash } from 'node:crypto';
import type { Address, Clock, Event } from '@magpie/contract';

/** How long an own message may take to come back, in ms. */
const LIFETIME = 10_000;

/** Most messages remembered per gateway; the oldest are forgotten first. */
const LIMIT = 100_000;

/**
 * Recognizes own messages that come back over links without metadata, where no list of passed gateways can travel. Each send
 * leaves one credit, each echo takes one; an echo is not dropped, it only stays away from the connections it came by.
 */
export interface EchoGuard {
  /** A message of `from` goes out to an address of a connection without metadata. */
  sent(connection: string, address: Address, body: Uint8Array, from: string): void;
  /**
   * Connections that a received event must not go to because it is an own message that came back without saying so: empty when
   * it is not. Takes the credit, unless the same event will be looked for again (`keep`). Called per matched event of a
   * connection without metadata; events of the others say themselves where they have been.
   */
  returned(event: Pick<Event, 'source' | 'address' | 'body'>, keep?: boolean): readonly string[];
}

interface Credit {
  readonly from: string;
  /** Monotonic ms. */
  readonly until: number;
}

export function createEchoGuard(clock: Clock): EchoGuard {
  const credits = new Map<string, Credit[]>();

  const forgetOld = (): void => {
    for (const [key, [first]] of credits) {
      if (credits.size <= LIMIT && first && first.until > clock.monotonic()) return;
      credits.delete(key);
    }
  };

  return {
    sent: (connection, address, body, from) => {
      const key = keyOf(connection, address, body);
      const own = credits.get(key) ?? [];
      own.push({ from, until: clock.monotonic() + LIFETIME });
      credits.delete(key);
      credits.set(key, own);
      forgetOld();
    },
    returned: ({ source, address, body }, keep = false) => {
      const own = credits.get(keyOf(source, address, body));
      while (own?.[0] && own[0].until <= clock.monotonic()) own.shift();
      const credit = keep ? own?.[0] : own?.shift();
      return credit ? [source, credit.from] : [];
    },
  };
}

function keyOf(connection: string, { scheme, segments }: Address, body: Uint8Array): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([connection, scheme, segments]))
    .update(body);
  return hash.digest('base64');
}
