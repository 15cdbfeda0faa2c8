import type { Event } from '../event/event.ts';

/** Types of events of kind `status`: what an adapter tells about a link or a message that was sent. */
export const STATUS = {
  /** Messages may be missing: the other side has lost what it kept for us. */
  possibleGap: 'possible-gap',
  /** A message of ours came back after it had been confirmed; `correlationId` is its `delivery`, the body the reason. */
  bounced: 'bounced',
} as const;

/** Types of events of kind `receipt`: what the addressee tells about a message of ours; `correlationId` is its `delivery`. */
export const RECEIPT = {
  /** It has reached the addressee. */
  delivered: 'delivered',
} as const;

/** Whether an event says that a message of ours came back after it had been confirmed. Called per routed event. */
export const isBounce = ({ kind, type, correlationId }: Pick<Event, 'kind' | 'type' | 'correlationId'>): boolean =>
  kind === 'status' && type === STATUS.bounced && correlationId !== undefined;
