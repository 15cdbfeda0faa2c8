import type { Event } from '@magpie/contract';

/** Whether the dedupe key of an event is compared with the known ones, and not only remembered. */
export const isCompared = ({ dedupe, redelivered }: Pick<Event, 'dedupe' | 'redelivered'>): boolean =>
  dedupe !== 'redelivered' || redelivered === true;
