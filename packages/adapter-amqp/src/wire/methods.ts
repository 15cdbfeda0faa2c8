import { Rejected } from '@magpie/contract';
import { FRAME, METHOD } from './frames.ts';
import { frameHead } from './outgoing.ts';
import type { Writer } from './writer.ts';

/** Longest short string in bytes (AMQP 0-9-1, 4.2.5.3). */
const SHORT_STRING_BYTES = 255;

/** Where a message is published. */
export interface Place {
  readonly exchange: string;
  readonly routingKey: string;
}

/** Writes a whole `basic.publish`. Throws `Rejected` for a name of more than 255 bytes. */
export function writePublish(
  writer: Writer,
  channel: number,
  { exchange, routingKey }: Place,
  mandatory: boolean,
): void {
  checkShort('exchange', exchange);
  checkShort('routingKey', routingKey);
  frameHead(writer, FRAME.method, channel, 0);
  const from = writer.at;
  writer.uint32(METHOD.publish);
  writer.uint16(0);
  writer.shortText(exchange);
  writer.shortText(routingKey);
  writer.byte(mandatory ? 1 : 0);
  writer.close(from);
  writer.byte(FRAME.end);
}

function checkShort(what: string, text: string): void {
  if (text.length * 3 <= SHORT_STRING_BYTES) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > SHORT_STRING_BYTES) {
    throw new Rejected(`expected ${what} of at most ${SHORT_STRING_BYTES} bytes, got one of ${bytes}`);
  }
}
