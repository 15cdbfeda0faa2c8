import { ask } from './http.ts';
import type { Victim } from './victim.ts';

/** An event of the log, as far as these tests look at it. */
export interface StoredEvent {
  readonly source: string;
  readonly kind: string;
  readonly address: string;
  readonly text?: string;
  readonly base64?: string;
  readonly origin?: Readonly<Record<string, unknown>>;
  readonly headers?: readonly (readonly [string, unknown])[];
}

/** The first 500 events in the log that did not come by the API. */
export async function foreignEvents({ url }: Victim): Promise<readonly StoredEvent[]> {
  const page: { events: { event: StoredEvent }[] } = JSON.parse((await ask(`${url}/v1/events?limit=500`)).body);
  return page.events.map(({ event }) => event).filter(({ source }) => source !== 'http');
}

/** The latest 500 events of one connection, the newest first. */
export async function eventsOf({ url }: Victim, connection: string): Promise<readonly StoredEvent[]> {
  const answer = await ask(`${url}/v1/events?connection=${connection}&limit=500`);
  const page: { events: { event: StoredEvent }[] } = JSON.parse(answer.body);
  return page.events.map(({ event }) => event);
}

/** A dead letter as the list shows it. */
export interface ListedLetter {
  readonly id: string;
  readonly reason: string;
  readonly error: string;
  readonly message: string;
}

/** The oldest 200 dead letters. */
export async function deadLettersOf({ url }: Victim): Promise<readonly ListedLetter[]> {
  const page: { deadLetters: ListedLetter[] } = JSON.parse((await ask(`${url}/v1/dead-letters?limit=200`)).body);
  return page.deadLetters;
}
