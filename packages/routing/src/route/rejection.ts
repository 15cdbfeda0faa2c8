import { errorMessage, Rejected } from '@magpie/contract';

/**
 * Any failure to judge or render an event as a permanent refusal that names the route. Also what nobody foresaw, such as a
 * stack overflow over hostile input: one event may end as a dead letter, the router must go on.
 */
export const rejection = (route: string, error: unknown): Rejected =>
  new Rejected(`route "${route}": ${errorMessage(error)}`, { cause: error });
