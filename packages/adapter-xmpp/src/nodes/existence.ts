import { ConfigInvalid } from '@magpie/contract';
import { attribute } from '../codec/stanza/element.ts';
import { createRequest, nodeQuery } from '../codec/stanza/pubsub.ts';
import { conditionOf, nodeError } from '../errors.ts';
import type { Link } from '../link/link.ts';

/** A node and the service that has it. */
export interface NodePlace {
  /** Bare JID in lower case. */
  readonly service: string;
  readonly node: string;
}

/** A text of its own for each node. */
export const nameOf = ({ service, node }: NodePlace): string => `${service}/${node}`;

/** Most nodes remembered; the one asked about first is forgotten first. */
const MOST = 10_000;

/** Which nodes exist, since some services make one for whoever publishes to a name without a node. One per connection. */
export class Existence {
  readonly #create: boolean;
  readonly #known = new Map<string, Promise<void>>();

  /** @param create whether a node is made where there is none. */
  constructor(create: boolean) {
    this.#create = create;
  }

  /** Asks again from now on. */
  clear(): void {
    this.#known.clear();
  }

  /** There may be no such node any more. */
  forget(place: NodePlace): void {
    this.#known.delete(nameOf(place));
  }

  /**
   * Resolves when there is the node, which is asked once for each session. Calls meanwhile share the answer, and go on in their order.
   * Rejects with `ConfigInvalid` when there is none, a taxonomy error when it cannot be made, `NotConnected` without an answer.
   */
  expect(link: Link, place: NodePlace): Promise<void> {
    const name = nameOf(place);
    const known = this.#known.get(name);
    if (known) return known;
    const asked = this.#ask(link, place).catch((error: unknown) => {
      if (this.#known.get(name) === asked) this.#known.delete(name);
      throw error;
    });
    this.#known.set(name, asked);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST) break;
      this.#known.delete(oldest);
    }
    return asked;
  }

  /** A service that refuses the question itself will say more when the node is used. */
  async #ask(link: Link, { service, node }: NodePlace): Promise<void> {
    const answer = await link.request('get', nodeQuery(node), service);
    const error = attribute(answer, 'type') === 'error' ? answer.getChild('error') : undefined;
    if (!error || conditionOf(error) !== 'item-not-found') return;
    if (!this.#create)
      throw new ConfigInvalid('the node does not exist; createNodes: true makes it').concerning('place');
    const made = await link.request('set', createRequest(node), service);
    const refusal = attribute(made, 'type') === 'error' ? made.getChild('error') : undefined;
    // Somebody else has made it meanwhile.
    if (refusal && conditionOf(refusal) !== 'conflict') throw nodeError(made);
  }
}
