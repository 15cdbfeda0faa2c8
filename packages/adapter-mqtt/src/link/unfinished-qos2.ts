/** How far a QoS 2 publish had come when its link was lost. */
type Stage = 'sent' | 'received';

/** More than this many left-over packet ids cannot be kept free: the oldest is used again. */
const MOST = 32_768;

/**
 * Packet ids of QoS 2 publishes that the broker may still hold. While it does, it would take another publish with such an id
 * for a repeat and drop it [MQTT-4.3.3-10]: the id is not used until the broker has let it go. The messages themselves are sent
 * again by the caller, under new ids. One per connection, kept over its links.
 */
export class UnfinishedPublishes {
  readonly #stages = new Map<number, Stage>();

  /** Whether the packet id must not be used for a new packet. Called per packet id that is looked at. */
  holds(packetId: number): boolean {
    return this.#stages.has(packetId);
  }

  /** A QoS 2 publish goes out. */
  sent(packetId: number): void {
    this.#stages.set(packetId, 'sent');
    if (this.#stages.size <= MOST) return;
    for (const oldest of this.#stages.keys()) {
      this.#stages.delete(oldest);
      break;
    }
  }

  /** A PUBREC has come that accepts it. */
  received(packetId: number): void {
    if (this.#stages.has(packetId)) this.#stages.set(packetId, 'received');
  }

  /** The broker holds it no more: PUBCOMP, a PUBREC that refuses, or a PUBACK in their place. */
  completed(packetId: number): void {
    this.#stages.delete(packetId);
  }

  /** The broker has no session for us any more. */
  clear(): void {
    this.#stages.clear();
  }

  /** Those that a new link goes on with by PUBREL; the others the broker has perhaps never seen, and owes no answer for. */
  *halfDone(): Generator<number> {
    for (const [packetId, stage] of this.#stages) if (stage === 'received') yield packetId;
  }
}
