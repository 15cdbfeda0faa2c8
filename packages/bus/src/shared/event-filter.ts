import { type Event, matchesPattern } from '@magpie/contract';
import type { EventFilter } from '../contract/index.ts';

/** Whether an event passes a filter. Pure; called per event and subscription. */
export function matchesFilter(
  { connection, pattern, kinds }: EventFilter,
  { source, kind, address }: Pick<Event, 'source' | 'kind' | 'address'>,
): boolean {
  if (connection !== undefined && source !== connection) return false;
  if (kinds && !kinds.includes(kind)) return false;
  return pattern === undefined || matchesPattern(pattern, address);
}
