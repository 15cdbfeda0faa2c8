/** State of a QoS 2 publish when its link was lost. */
type Stage = 'sent' | 'received';

/** Maximum number of packet ids kept reserved; beyond it the oldest is reused. */
const MOST = 32_768;

/**
 * Packet ids of QoS 2 publishes that the broker may still hold. The broker would drop another publish with such an id
 * as a repeat [MQTT-4.3.3-10], so the id is not used until the broker has released it. The messages themselves are sent
 * again by the caller, under new ids. One per connection, kept over its links.
 */
export class UnfinishedPublishes {
  readonly #stages = new Map<number, Stage>();

  /** Whether the packet id must not be used for a new packet. Called per packet id that is looked at. */
  holds(packetId: number): boolean {
    return this.#stages.has(packetId);
  }

  /** Records that a QoS 2 publish was sent. */
  sent(packetId: number): void {
    this.#stages.set(packetId, 'sent');
    if (this.#stages.size <= MOST) return;
    for (const oldest of this.#stages.keys()) {
      this.#stages.delete(oldest);
      break;
    }
  }

  /** Records an accepting PUBREC. */
  received(packetId: number): void {
    if (this.#stages.has(packetId)) this.#stages.set(packetId, 'received');
  }

  /** Frees the id: PUBCOMP, a refusing PUBREC, or a PUBACK instead. */
  completed(packetId: number): void {
    this.#stages.delete(packetId);
  }

  /** Called when the broker no longer has our session. */
  clear(): void {
    this.#stages.clear();
  }

  /** Ids for which a new link sends PUBREL; the broker may never have seen the others. */
  *halfDone(): Generator<number> {
    for (const [packetId, stage] of this.#stages) if (stage === 'received') yield packetId;
  }
}
