import type { Clock } from '@magpie/contract';
import type { Link } from '../link/link.ts';

/** Dependencies of a room. */
export interface RoomOptions {
  readonly jid: string;
  readonly nick: string;
  readonly password: string | undefined;
  /** Whether it is made when there is none. */
  readonly create: boolean;
  /** Whether the server leaves it for us when the link ends, as it does for a client. */
  readonly isForgotten: boolean;
  readonly clock: Clock;
  readonly timeout: number;
  /** The link while it is up. */
  link(): Link | undefined;
  /** State in words for status pages; undefined when the room is given up. */
  detail(state: string | undefined, trouble?: 'trouble'): void;
  /** We are no longer in the room: what was sent there without an echo has an unknown outcome. */
  left(reason: string): void;
  /** We ask to be let in: the room will tell of everybody who is there. */
  entering(): void;
  /** We are in it, and it has told of everybody. */
  entered(): void;
  /**
   * Its owner has closed it and names another room instead; whether it is followed there, which is the next join then.
   * @param to bare JID, as the owner says.
   */
  moved(to: string): boolean;
  /** Where it is, when it has moved. */
  address(): string | undefined;
  /** Counts for metrics. */
  count(counter: string): void;
}
