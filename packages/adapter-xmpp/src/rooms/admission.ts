import { NotConnected } from '@magpie/contract';
import type { Element } from '../codec/stanza/element.ts';
import { joinPresence, leavePresence, movedByError } from '../codec/stanza/muc.ts';
import { joinError } from '../errors.ts';
import type { Link } from '../link/link.ts';
import type { RoomOptions } from './room-options.ts';
import { movedText } from './state-texts.ts';

/** Asks a room to let us in, one attempt at a time. One per room. */
export class Admission {
  readonly #options: RoomOptions;
  #answer: PromiseWithResolvers<Element> | undefined;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /**
   * Sends the join presence and waits for the room's answer: our own presence with status 110, or an error. Rejects with
   * `NotConnected` when it does not answer.
   */
  async ask(link: Link, occupant: string, password: string | undefined): Promise<Element> {
    const { clock, timeout, jid, isForgotten, entering } = this.#options;
    const answer = Promise.withResolvers<Element>();
    this.#answer = answer;
    const cancel = clock.timeout(timeout, () => {
      const silent = `${jid} did not answer our join within ${timeout} ms`;
      answer.reject(new NotConnected(silent).concerning('place'));
    });
    try {
      entering();
      // Whom a room still lists it tells nothing but its own presence: not who else is there.
      if (!isForgotten) link.post(leavePresence(occupant));
      link.post(joinPresence(occupant, password));
      return await answer.promise;
    } finally {
      cancel();
      this.#answer = undefined;
    }
  }

  /** Takes what may be the answer. */
  answered(presence: Element): void {
    this.#answer?.resolve(presence);
  }

  /** No answer will come. */
  cancel(reason: Error): void {
    this.#answer?.reject(reason);
  }
}

/** The error of a room's refusal. A room that is closed for good may say where it has gone. */
export function refusalOf(answer: Element, options: RoomOptions): Error {
  const to = movedByError(answer);
  if (to === undefined || !options.moved(to)) return joinError(options.jid, answer);
  return new NotConnected(movedText(to)).concerning('place');
}
