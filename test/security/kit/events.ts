import { ask } from './http.ts';
import type { Victim } from './victim.ts';

/** An event of the log, as far as these tests look at it. */
export interface StoredEvent {
  readonly source: string;
  readonly kind: string;
  readonly address: string;
  readonly text?: string;
  readonly base64?: string;
  readonly headers?: readonly (readonly [string, unknown])[];
}

/** The first 500 events in the log that did not come by the API. */
export async function foreignEvents({ url }: Victim): Promise<readonly StoredEvent[]> {
  const page: { events: { event: StoredEvent }[] } = JSON.parse((await ask(`${url}/v1/events?limit=500`)).body);
  return page.events.map(({ event }) => event).filter(({ source }) => source !== 'http');
}
