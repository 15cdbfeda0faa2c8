import type { ReceivedEvent } from '@magpie/contract';
import { addressOf } from './codec/addresses.ts';

/**
 * Says that messages may be missing: the session was lost with its link and could not be resumed (XEP-0198 §5), so rooms
 * have not kept for us what was written meanwhile. Its address is our own account.
 */
export const possibleGap = (account: string): ReceivedEvent => ({
  address: addressOf('jid', account),
  kind: 'status',
  type: 'possible-gap',
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from('the session could not be resumed: messages may be missing'),
  headers: [],
  via: [],
  origin: { from: account, stanzaType: 'normal', replay: false },
});
