import { type Address, type Origin, RECEIPT, type ReceivedEvent, STATUS } from '@magpie/contract';

/** Source of a notice. */
export interface NoticePlace {
  readonly address: Address;
  readonly key?: string;
  /** Protocol facts, as the adapter's `originSchema` describes them. */
  readonly origin: Origin;
}

const TEXT = 'text/plain; charset=utf-8';
const NOTHING = new Uint8Array();

/**
 * Messages may be missing. An adapter emits this notice when the peer lost our session while the link was down; it is
 * repeated until stored.
 * @param why one sentence for people; it becomes the body.
 */
export const possibleGap = (place: NoticePlace, why: string): ReceivedEvent => ({
  ...place,
  kind: 'status',
  type: STATUS.possibleGap,
  contentType: TEXT,
  body: Buffer.from(why),
  headers: [],
  via: [],
});

/**
 * A message we sent came back after its confirmation; the core makes a dead letter of its delivery.
 * @param delivery the delivery id of the message, if the peer returned it.
 */
export const bounced = (place: NoticePlace, delivery: string | undefined, reason: string): ReceivedEvent => ({
  ...place,
  kind: 'status',
  type: STATUS.bounced,
  ...(delivery === undefined ? {} : { correlationId: delivery }),
  contentType: TEXT,
  body: Buffer.from(reason),
  headers: [],
  via: [],
});

/** A message we sent has reached its addressee. `delivery` as in `bounced`. */
export const delivered = (place: NoticePlace, delivery: string | undefined): ReceivedEvent => ({
  ...place,
  kind: 'receipt',
  type: RECEIPT.delivered,
  ...(delivery === undefined ? {} : { correlationId: delivery }),
  body: NOTHING,
  headers: [],
  via: [],
});
