import type { Access, Action, Area } from '@magpie/access';
import type { Address, Event } from '@magpie/contract';
import type { Gateway } from '@magpie/core';
import { DIRECT } from '@magpie/routing';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.ts';

/** Somebody who was let in. */
export interface Caller {
  /** As events and idempotency keys name it, such as `key:web-app`; undefined for an API without keys. */
  readonly principal: string | undefined;
  readonly access: Access;
}

const denied = (): string => 'no key was checked';

/** May do nothing: whoever was not asked for a key. */
const NOBODY: Caller = {
  principal: undefined,
  access: { everywhere: denied, at: denied, within: denied, somewhere: denied },
};

/** Who sends a request. */
export const callerOf = ({ caller }: Pick<FastifyRequest, 'caller'>): Caller => caller ?? NOBODY;

/** Throws `Problem` 403 unless the caller may do something everywhere. Called per request. */
export function permit({ principal, access }: Caller, action: Action): void {
  refuse(principal, access.everywhere(action), () => `${action} everywhere`);
}

/** Throws `Problem` 403 unless the caller may do something at one address. Called per published message. */
export function permitAt(
  { principal, access }: Caller,
  action: Action,
  connection: string,
  address: Address,
  gateway: Pick<Gateway, 'bookOf'>,
): void {
  const shown = (): string => `${action} at ${gateway.bookOf(connection).format(address)} of ${connection}`;
  refuse(principal, access.at(action, connection, address), shown);
}

/** Throws `Problem` 403 unless the caller may do something in a whole area, such as that of a subscription. */
export function permitWithin({ principal, access }: Caller, action: Action, area: Area): void {
  const { connection, pattern } = area;
  const where = pattern ? 'all the addresses asked for' : 'all addresses';
  const shown = (): string => `${action} at ${where} of ${connection ?? 'all connections'}`;
  refuse(principal, access.within(action, area), shown);
}

/** Whether the caller may see an event, or what became of it. What it may not see does not exist for it: 404, not 403. */
export const maySee = (
  { access }: Pick<Caller, 'access'>,
  event: Pick<Event, 'source' | 'origin' | 'address'>,
): boolean => access.at('read', connectionOf(event), event.address) === undefined;

/** The connection whose place the address of an event is: that it came from, of a direct send that it goes to. */
export const connectionOf = ({ source, origin }: Pick<Event, 'source' | 'origin'>): string =>
  source === DIRECT && typeof origin.connection === 'string' ? origin.connection : source;

/**
 * Throws `Problem` 403 unless the caller may do something somewhere at a connection. Asked before the name is looked up: who
 * may do nothing there learns neither whether it exists nor the names of others.
 */
export function permitSomewhere({ principal, access }: Caller, action: Action, connection: string): void {
  refuse(principal, access.somewhere(action, connection), () => `${action} at ${connection}`);
}

function refuse(principal: string | undefined, refusal: string | undefined, what: () => string): void {
  if (refusal === undefined) return;
  throw new Problem(
    403,
    `${principal ?? 'The caller'} may not ${what()}: ${refusal}. See http.keys, "roles" and "grants".`,
  );
}
