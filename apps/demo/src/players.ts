/** The simulated MQTT device: raises alarms, obeys commands, reports its state, shows notices. */
export interface Pump {
  raiseAlarm(severity: number, text: string): Promise<void>;
  /** Resolves to the next command that arrives. */
  command(): Promise<unknown>;
  report(state: string): Promise<void>;
  /** Says whether it is there, as its last will would. */
  online(online: boolean, text: string): Promise<void>;
  /** Resolves to the next text on the display. */
  display(): Promise<string>;
}

/** A person in the room. */
export interface Person {
  say(text: string): Promise<void>;
  /** Resolves to the next thing the gateway says in the room. */
  hear(): Promise<string>;
  /** The pump in the person's list of contacts, where there are such lists. */
  readonly contact?: {
    add(): Promise<void>;
    /** Resolves to how it is, once it says this text. */
    next(text: string): Promise<string>;
  };
}

/** The back office on its queue. */
export interface Office {
  /** Resolves to the next message: routing key and body. */
  receive(): Promise<{ readonly key: string; readonly body: string }>;
}

/** Everything around the gateway. */
export interface World {
  /** The brokers in use, for the title line. */
  readonly title: string;
  /** Environment of the configuration: addresses and passwords of the brokers. */
  readonly env: Readonly<Record<string, string>>;
  /** The configuration file that fits this world. */
  readonly configuration: string;
  /** Events the watching app must see, as `connection address`. */
  readonly watched: readonly string[];
  /** Connects the players. Called once the gateway is up. */
  players(): Promise<{ readonly pump: Pump; readonly person: Person; readonly office: Office }>;
  /** Disconnects the players and stops what was started. */
  stop(): Promise<void>;
}
