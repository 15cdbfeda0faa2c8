import type { ReceivedEvent } from '@magpie/contract';
import { topicAddress } from './codec/address.ts';

/**
 * Says that messages may be missing: the broker has lost our session, and with it what it held for us. Its address lies
 * among the `$` topics, which no wildcard of a route reaches.
 */
export const possibleGap = (connection: string, version: 5 | 3): ReceivedEvent => ({
  address: { scheme: topicAddress.scheme, segments: ['$magpie', connection, 'session'] },
  kind: 'status',
  type: 'possible-gap',
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from('the broker has lost our session: messages may be missing'),
  headers: [],
  via: [],
  origin: { topic: `$magpie/${connection}/session`, qos: 0, retain: false, replay: false, dup: false, version },
});
