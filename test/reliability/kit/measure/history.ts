import type { World } from '../world.ts';

/** What the log says of an event. */
export interface LoggedEvent {
  readonly ref: string;
  readonly receivedAt: string;
  readonly [name: string]: unknown;
}

const PAGE = 500;

/** Everything in the gateway's log, oldest first, as its API shows it. */
export async function wholeLog({ gateway }: Pick<World, 'gateway'>): Promise<readonly LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (let after: string | undefined = 'earliest'; after !== undefined; ) {
    const response = await fetch(`${gateway.url}/v1/events?limit=${PAGE}&after=${encodeURIComponent(after)}`);
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const page = (await response.json()) as {
      readonly events: readonly { readonly event: LoggedEvent }[];
      readonly next?: string;
    };
    events.push(...page.events.map(({ event }) => event));
    after = page.events.length === 0 ? undefined : page.next;
  }
  return events;
}
