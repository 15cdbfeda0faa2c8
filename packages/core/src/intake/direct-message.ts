import { type AddressBook, encodeBody, type ReceivedEvent, Rejected, type TargetRequest } from '@magpie/contract';
import type { DirectMessage } from '../gateway-api/index.ts';

/**
 * A direct send as an event: its address is the target's, its origin says which connection and options. Throws `Rejected`
 * when `replyTo` is no address.
 */
export function receivedFrom(
  message: DirectMessage,
  connection: string,
  target: TargetRequest,
  book: AddressBook,
): ReceivedEvent {
  const { to: _, principal, payload, text, base64, replyTo, contentType, headers, ...parts } = message;
  const encoded = encodeBody({
    ...(payload === undefined ? {} : { payload }),
    ...(text === undefined ? {} : { text }),
    ...(base64 === undefined ? {} : { base64 }),
  });
  if (!encoded) throw new Rejected('a message without a body: expected one of payload, text, base64');
  const type = contentType ?? encoded.contentType;
  return {
    ...parts,
    address: target.address,
    kind: 'message',
    key: `${connection} ${message.key ?? book.format(target.address)}`,
    body: encoded.body,
    ...(type === undefined ? {} : { contentType: type }),
    headers: headers ?? [],
    ...(replyTo === undefined ? {} : { replyTo: book.parse(replyTo) }),
    via: message.via ?? [],
    origin: { connection, options: target.options, ...(principal === undefined ? {} : { principal }) },
  };
}
