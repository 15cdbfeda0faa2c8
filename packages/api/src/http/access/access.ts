import type { Places } from '@magpie/access';
import { createQuiet, type Logger } from '@magpie/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANYBODY, type ApiKey, type Authenticator, createAuthenticator, type RefusedLogin } from './auth.ts';
import { addCors } from './cors.ts';
import { addHostGuard, addPageGuard } from './page-guard.ts';
import type { Caller } from './permit.ts';
import type { Tickets } from './tickets.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, see `callerOf`; undefined on resources that need nobody. */
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** Whether it answers without a key. */
    readonly open?: boolean;
    /** Whether it accepts a ticket in the query instead of a key. */
    readonly tickets?: boolean;
  }
}

/** The keys and origins that may use an API. */
export interface AccessOptions {
  readonly keys: readonly ApiKey[];
  /** Connections and addresses that grants are about. */
  readonly places: Places;
  /** Origins whose pages may use it. */
  readonly origins: readonly string[];
  readonly tickets: Tickets;
  readonly logger: Logger;
}

/** Networks that an alarm names. */
const MOST_NAMED = 5;

/** Who is let in at present. */
export interface Gatekeeper extends Pick<Authenticator, 'replace' | 'isCurrent'> {
  /** What needs a human: who guesses keys at present. */
  alarms(): string[];
}

/** Lets in who may: pages by origin, apps by key or ticket; without keys only this machine. */
export function addAccess(app: FastifyInstance, { keys, places, origins, tickets, logger }: AccessOptions): Gatekeeper {
  const now = (): number => performance.now();
  const authenticator = createAuthenticator(keys, places, now, createLoginLog(logger, now));
  const alarms = (): string[] => {
    const networks = authenticator.guessing();
    const named = networks.slice(0, MOST_NAMED).join(', ');
    const more = networks.length > MOST_NAMED ? ` and ${networks.length - MOST_NAMED} more` : '';
    return networks.length === 0 ? [] : [`too many wrong API keys from ${named}${more} in the last minute`];
  };
  app.decorateRequest('caller', undefined);
  addCors(app, origins);
  addHostGuard(app, () => !authenticator.required);
  addPageGuard(app, origins);
  app.addHook('onRequest', (request, _, done) => {
    if (!authenticator.required) request.caller = ANYBODY;
    else if (!request.routeOptions.config.open) request.caller = authenticate(authenticator, tickets, request);
    done();
  });
  return { alarms, replace: authenticator.replace, isCurrent: authenticator.isCurrent };
}

/** One line in a minute about each network and reason. */
function createLoginLog(logger: Logger, monotonic: () => number): RefusedLogin {
  const quiet = createQuiet({ monotonic });
  return (network, reason) => {
    const kept = quiet.due(`${network} ${reason}`);
    if (kept === undefined) return;
    const more = kept === 0 ? '' : ` (and ${kept} more before)`;
    logger.warn({ connection: 'http', client: network, reason }, `an API client was not let in: ${reason}${more}`);
  };
}

/** A ticket is valid only on its own path. A key is never accepted in a URL, as logs would show it. */
function authenticate(authenticator: Authenticator, tickets: Tickets, request: FastifyRequest): Caller {
  const ticket = request.routeOptions.config.tickets ? ticketOf(request.url) : undefined;
  if (ticket === undefined) return authenticator.byHeader(request.headers.authorization, request.ip);
  return authenticator.byTicket(() => tickets.take(ticket), ticket, request.ip);
}

const ticketOf = (url: string): string | undefined =>
  new URLSearchParams(url.split('?')[1] ?? '').get('ticket') ?? undefined;
