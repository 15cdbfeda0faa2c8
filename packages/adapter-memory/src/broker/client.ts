import { type AddressPattern, type MagpieError, Unknown } from '@magpie/contract';
import type { MemoryDelivery, MemoryMessage } from './message.ts';
import type { Session } from './session.ts';
import type { Wire } from './wire.ts';

/** An established link, as a protocol's client library would offer it. Every call crosses the wire. */
export interface MemoryClient {
  /** Id of the broker's run in which the link was made. */
  readonly epoch: string;
  readonly up: boolean;
  /**
   * Resolves when the broker confirms. Rejects with the broker's refusal, or with `Unknown` when the link is cut first.
   */
  publish(message: MemoryMessage): Promise<void>;
  /** Replaces the subscriptions; messages waiting for this client are delivered from now on. */
  subscribe(patterns: readonly AddressPattern[], window: number, deliver: Deliver): Promise<void>;
  /** Stops deliveries without giving up subscriptions. */
  pause(): Promise<void>;
  acknowledge(numbers: readonly number[]): Promise<void>;
  ping(): Promise<void>;
  /** Closes in order: acknowledgements already sent arrive first. */
  close(): Promise<void>;
  /** Ends the link without a goodbye. */
  destroy(): void;
}

type Deliver = (batch: readonly MemoryDelivery[]) => void;

/** The broker as seen by a client. */
export interface BrokerSide {
  readonly epoch: string;
  readonly wire: Wire;
  readonly session: Session;
  /** Accepts a message; resolves on confirmation, rejects with the refusal. */
  accept(message: MemoryMessage): Promise<void>;
  /** Sends the kept last values of channels that the patterns match. */
  sendRetained(patterns: readonly AddressPattern[]): void;
  /** Removes the link. Idempotent; `error` is passed to the client, undefined when the client closed. */
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

/** The outcome of a publish; unknown when the wire is cut after sending. */
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
    return; // The wire was cut: the session keeps the messages and delivers them again.
  }
  deliver(batch);
}
