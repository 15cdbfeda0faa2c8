import type { Address, Origin, ReceivedEvent } from '@magpie/contract';

/**
 * Says that messages may be missing.
 * @param why one sentence for people, which becomes the body.
 */
export const possibleGap = (
  place: { readonly address: Address; readonly origin: Origin },
  why: string,
): ReceivedEvent => ({
  ...place,
  kind: 'status',
  type: 'possible-gap',
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from(why),
  headers: [],
  via: [],
});
