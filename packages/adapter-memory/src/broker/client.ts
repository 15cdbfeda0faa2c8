import { type AddressPattern, type MagpieError, Unknown } from '@magpie/contract';
import type { MemoryDelivery, MemoryMessage } from './message.ts';
import type { Session } from './session.ts';
import type { Wire } from './wire.ts';

/** An established link, as a protocol's client library would offer it. Every call crosses the wire. */
export interface MemoryClient {
  /** Names the broker's life in which the link was made. */
  readonly epoch: string;
  readonly up: boolean;
  /**
   * Resolves when the broker confirms. Rejects with the broker's refusal, or with `Unknown` when the link is cut first.
   */
  publish(message: MemoryMessage): Promise<void>;
  /** Replaces the subscriptions; what waits for this client is handed over from now on. */
  subscribe(patterns: readonly AddressPattern[], window: number, deliver: Deliver): Promise<void>;
  /** Stops deliveries without giving up subscriptions. */
  pause(): Promise<void>;
  acknowledge(numbers: readonly number[]): Promise<void>;
  ping(): Promise<void>;
  /** Says goodbye: acknowledgements on their way arrive before. */
  close(): Promise<void>;
  /** Ends the link without a goodbye. */
  destroy(): void;
}

type Deliver = (batch: readonly MemoryDelivery[]) => void;

/** What a client needs of the broker. */
export interface BrokerSide {
  readonly epoch: string;
  readonly wire: Wire;
  readonly session: Session;
  /** Takes a message in; resolves on the confirmation, rejects with the refusal. */
  accept(message: MemoryMessage): Promise<void>;
  /** Sends the kept last values of channels that the patterns match. */
  sendRetained(patterns: readonly AddressPattern[]): void;
  /** Forgets the link. Idempotent; `error` tells the client, undefined when it said goodbye itself. */
  drop(error?: MagpieError): void;
}

/** The client's end of a link. */
export function createClient(side: BrokerSide): MemoryClient {
  const { wire, session } = side;
  return {
    epoch: side.epoch,
    get up() {
      return wire.up;
    },
    async publish(message) {
      await confirmed(
        wire,
        wire
          .pass()
          .then(() => side.accept(message))
          .then(() => wire.pass()),
      );
    },
    async subscribe(patterns, window, deliver) {
      await wire.pass();
      const added = session.subscribe(patterns);
      session.attach({ window, deliver: (batch) => void deliverOver(wire, batch, deliver) });
      side.sendRetained(added);
      await wire.pass();
    },
    async pause() {
      await wire.pass();
      session.pause();
    },
    async acknowledge(numbers) {
      await wire.pass();
      session.acknowledge(numbers);
    },
    async ping() {
      await wire.pass();
      await wire.pass();
    },
    async close() {
      if (wire.up) await wire.pass();
      side.drop();
    },
    destroy: () => side.drop(),
  };
}

/** The outcome of a publish; once it is on its way, a cut wire leaves it unknown. */
async function confirmed(wire: Wire, outcome: Promise<void>): Promise<void> {
  try {
    await wire.whileUp(outcome);
  } catch (error) {
    if (wire.up) throw error;
    throw new Unknown('the link was lost before the broker confirmed', { cause: error });
  }
}

async function deliverOver(wire: Wire, batch: readonly MemoryDelivery[], deliver: Deliver): Promise<void> {
  try {
    await wire.pass();
  } catch {
    return; // Cut on the way: the session has them and delivers them again.
  }
  deliver(batch);
}
