import { findSequence, SEQUENCE_DIGITS, templateBody, writeSequence } from '../body.ts';
import { framed } from '../line.ts';
import type { SinkSpecification, SourceSpecification } from '../specification.ts';
import type { Listener, Sink, Source } from './ends.ts';
import { enterRoom } from './xmpp-session.ts';

/** Speaks in a room; what the room sends back is not looked at. */
export async function xmppSource(
  specification: Extract<SourceSpecification, { kind: 'xmpp' }>,
  body: number,
  listener: Listener,
): Promise<Source> {
  const line = await enterRoom(specification, () => undefined, listener.failed);
  const { bytes: template, places } = stanzaTemplate(specification.room, body);
  return {
    room: () => Number.POSITIVE_INFINITY,
    send: (first, count) => {
      const bytes = Buffer.allocUnsafe(template.length * count);
      for (let index = 0; index < count; index++) {
        const start = index * template.length;
        template.copy(bytes, start);
        for (const place of places) writeSequence(bytes, start + place, first + index);
      }
      line.write(bytes);
    },
    close: line.close,
  };
}

/** A groupchat message whose number stands in its id and in its body. */
function stanzaTemplate(room: string, body: number): { readonly bytes: Buffer; readonly places: readonly number[] } {
  const content = templateBody(body).toString().replaceAll('"', '&quot;');
  const start = `<message to="${room}" type="groupchat" id="bench-`;
  const text = `${start}${'1'.repeat(SEQUENCE_DIGITS)}"><body>${content}</body></message>`;
  return { bytes: Buffer.from(text), places: [start.length, text.indexOf('seq&quot;:') + 'seq&quot;:'.length] };
}

const MESSAGE_END = Buffer.from('</message>');

/** Listens in a room: one number per message, wherever it stands. */
export async function xmppSink(
  specification: Extract<SinkSpecification, { kind: 'xmpp' }>,
  listener: Listener,
): Promise<Sink> {
  const read = framed((bytes) => readMessages(bytes, listener.arrived));
  const line = await enterRoom(
    specification,
    (bytes) => {
      read(bytes);
      listener.settled();
    },
    listener.failed,
  );
  return { close: line.close };
}

/** Tells of the first number in each complete message, and returns how many bytes were read. */
export function readMessages(bytes: Buffer, found: (sequence: number) => void): number {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(MESSAGE_END, start);
    if (end < 0) return start;
    const message = bytes.subarray(start, end);
    let at = 0;
    let known = false;
    const first = (sequence: number): void => {
      if (known) return;
      known = true;
      found(sequence);
    };
    while (at >= 0 && !known) at = findSequence(message, at, first);
    start = end + MESSAGE_END.length;
  }
}
