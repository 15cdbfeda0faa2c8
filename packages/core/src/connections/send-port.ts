import type { OutgoingEvent, SendReceipt, TargetRequest } from '@magpie/contract';
import type { LinkHealth } from './link-health.ts';
import type { SendWindow } from './send-window.ts';

/** The link of a target's connection as a delivery queue uses it. */
export interface SendPort {
  up(): boolean;
  readonly window: SendWindow;
  readonly health: LinkHealth;
  /** Whether sends go on being confirmed while the intake of the connection is held. */
  readonly sendsWhileHeld: boolean;
  /** Whether headers, ids and the list of passed gateways survive the link; without them own messages come back unknown. */
  readonly hasMetadata: boolean;
  /** Counts a send that was confirmed. */
  sent(): void;
  send(event: OutgoingEvent, target: TargetRequest, signal: AbortSignal): Promise<SendReceipt>;
  /** Hands over a message that nobody waits for, where the adapter can; false: use `send`. */
  post(event: OutgoingEvent, target: TargetRequest): boolean;
}
