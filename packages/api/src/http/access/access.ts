import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ApiKey, type Authenticator, createAuthenticator } from './auth.ts';
import { addCors } from './cors.ts';
import { addHostGuard, addPageGuard } from './page-guard.ts';
import type { Tickets } from './tickets.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Id of the API key that was used; undefined without keys. */
    principal: string | undefined;
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
  /** Origins whose pages may use it. */
  readonly origins: readonly string[];
  readonly tickets: Tickets;
}

/** Lets in who may: pages by origin, apps by key or ticket; without keys only this machine. */
export function addAccess(app: FastifyInstance, { keys, origins, tickets }: AccessOptions): void {
  const authenticator = createAuthenticator(keys, () => performance.now());
  app.decorateRequest('principal', undefined);
  addCors(app, origins);
  if (!authenticator.required) addHostGuard(app);
  addPageGuard(app, origins);
  if (!authenticator.required) return;
  app.addHook('onRequest', (request, _, done) => {
    if (!request.routeOptions.config.open) request.principal = authenticate(authenticator, tickets, request);
    done();
  });
}

/** A ticket is valid only on its own path. A key is never accepted in a URL, as logs would show it. */
function authenticate(authenticator: Authenticator, tickets: Tickets, request: FastifyRequest): string | undefined {
  const ticket = request.routeOptions.config.tickets ? ticketOf(request.url) : undefined;
  if (ticket === undefined) return authenticator.byHeader(request.headers.authorization, request.ip);
  return authenticator.byTicket(() => tickets.take(ticket), ticket, request.ip);
}

const ticketOf = (url: string): string | undefined =>
  new URLSearchParams(url.split('?')[1] ?? '').get('ticket') ?? undefined;
