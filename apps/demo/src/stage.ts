import type { Hops } from './hops.ts';

/** What can be played: servers, the configuration of a gateway between them, and a scenario. */
export interface Stage {
  /** The servers in use, for the title line. */
  readonly title: string;
  /** The configuration file, and the environment that it needs: addresses and passwords. */
  readonly configuration: string;
  readonly env: Readonly<Record<string, string>>;
  /** Connects the players and plays the scenario once. Called when the gateway is up at `url`. Throws `HopFailed`. */
  play(url: string, hops: Hops): Promise<void>;
  /** What a person may try afterwards, one thing a line. */
  invitation(url: string): readonly string[];
  /** Disconnects the players and stops what was started. */
  stop(): Promise<void>;
}
