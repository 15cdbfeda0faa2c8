import { type Address, type Origin, RECEIPT, type ReceivedEvent, STATUS } from '@magpie/contract';

/** Where a notice comes from. */
export interface NoticePlace {
  readonly address: Address;
  readonly key?: string;
  /** Protocol facts, as the adapter's `originSchema` describes them. */
  readonly origin: Origin;
}

const TEXT = 'text/plain; charset=utf-8';
const NOTHING = new Uint8Array();

/**
 * Messages may be missing. An adapter makes one when a link was established anew and the other side no longer has what it
 * kept for us; repeated until it is stored.
 * @param why one sentence for people, which becomes the body.
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
 * A message of ours came back after it had been confirmed; the core makes a dead letter of its delivery.
 * @param delivery the `delivery` of the message, when the other side says it.
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

/** A message of ours has reached its addressee. `delivery` as in `bounced`. */
export const delivered = (place: NoticePlace, delivery: string | undefined): ReceivedEvent => ({
  ...place,
  kind: 'receipt',
  type: RECEIPT.delivered,
  ...(delivery === undefined ? {} : { correlationId: delivery }),
  body: NOTHING,
  headers: [],
  via: [],
});
