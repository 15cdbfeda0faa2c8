import { randomBytes } from 'node:crypto';
import type { Caller } from './permit.ts';

/** How long a ticket can be used, ms. */
export const TICKET_MS = 30_000;

/** Maximum number of unused tickets; beyond it the oldest becomes invalid. */
const OUTSTANDING = 10_000;

/** One-time passes for clients that cannot set headers: a WebSocket in a browser. */
export interface Tickets {
  /** Issues a new ticket to a caller. */
  issue(caller: Caller): string;
  /** The caller a ticket was issued to; the ticket becomes invalid. Undefined: unknown, used or too old. */
  take(ticket: string): Caller | undefined;
}

/** Keeps tickets in memory; `now` is monotonic time in ms. */
export function createTickets(now: () => number): Tickets {
  const outstanding = new Map<string, { readonly caller: Caller; readonly until: number }>();
  return {
    issue: (caller) => {
      const ticket = randomBytes(32).toString('base64url');
      outstanding.set(ticket, { caller, until: now() + TICKET_MS });
      const oldest = outstanding.keys().next();
      if (outstanding.size > OUTSTANDING && !oldest.done) outstanding.delete(oldest.value);
      return ticket;
    },
    take: (ticket) => {
      const found = outstanding.get(ticket);
      outstanding.delete(ticket);
      return found && found.until > now() ? found.caller : undefined;
    },
  };
}
