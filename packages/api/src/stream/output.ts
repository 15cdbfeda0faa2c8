import type { ServerFrame } from './frames.ts';

/** Where the frames of one app's subscriptions go, whatever carries them. */
export interface StreamOutput {
  /** Sends a control frame. */
  send(frame: ServerFrame): void;
  /** Sends the text of an `events` frame. */
  sendText(text: string): void;
  /** Whether it has as much as it can take. */
  full(): boolean;
}
