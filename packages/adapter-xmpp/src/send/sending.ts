import { untilAborted } from '@magpie/adapter-kit';
import {
  NotConnected,
  type OutgoingEvent,
  type SendReceipt,
  type TargetRequest,
  Throttled,
  TooLarge,
  throwIfAborted,
  Unknown,
} from '@magpie/contract';
import { type Destination, encodeMessage } from '../codec/encode.ts';
import { bareJid, formatJid, normalJid } from '../codec/jid.ts';
import { maxBodyBytes } from '../config.ts';
import { type ConnectionState, liveSession } from '../connection-state.ts';
import type { Element } from '../link/library.ts';

/** No confirmation can be read then, and without one the message would go out again and again. */
const STOPPED = 'reading is stopped while the gateway takes nothing in: a confirmation could not be read';
const STOPPED_RETRY_MS = 1000;

/**
 * Sends one message and waits for its confirmation: the room's echo, or the server's acknowledgement. Rejects with `Throttled`
 * while reading is stopped.
 */
export function send(
  state: ConnectionState,
  event: OutgoingEvent,
  { address }: TargetRequest,
  signal: AbortSignal,
): Promise<SendReceipt> {
  if (state.session?.paused) return Promise.reject(new Throttled(STOPPED, STOPPED_RETRY_MS));
  const [local = '', domain = '', resource] = address.segments;
  const to = normalJid(formatJid({ local, domain, ...(resource === undefined ? {} : { resource }) }));
  return address.scheme === 'room' ? sendToRoom(state, event, to, signal) : sendToJid(state, event, to, signal);
}

async function sendToRoom(
  state: ConnectionState,
  event: OutgoingEvent,
  to: string,
  signal: AbortSignal,
): Promise<SendReceipt> {
  throwIfAborted(signal);
  const message = sizedMessage(state, event, { to, type: 'groupchat' });
  liveSession(state);
  // The join goes on for others when this send is cancelled.
  if (!state.rooms.get(to)?.joined)
    await untilAborted(state.rooms.enter(to), signal, 'cancelled while joining the room');
  const session = liveSession(state);
  const id = event.delivery;
  // The echo of an earlier attempt may have come after that attempt was given up.
  if (!state.sends.confirmed(id, to)) {
    session.post(message);
    await state.sends.wait(id, to, state.config.timeout, signal);
  }
  return { confirmedBy: 'echo' };
}

async function sendToJid(
  state: ConnectionState,
  event: OutgoingEvent,
  to: string,
  signal: AbortSignal,
): Promise<SendReceipt> {
  throwIfAborted(signal);
  const message = sizedMessage(state, event, { to, type: 'chat' });
  const session = liveSession(state);
  const id = event.delivery;
  if (state.kept.outbound.confirmed(id)) return { confirmedBy: 'stream-ack' };
  const place = bareJid(to);
  const outcome = state.sends.wait(id, place, undefined, signal);
  session.deliver(message).then(
    () => state.sends.settle(id, place),
    (error: unknown) =>
      state.sends.settle(id, place, error instanceof Unknown ? error : new NotConnected(String(error))),
  );
  await outcome;
  return { confirmedBy: session.managed ? 'stream-ack' : 'server-answer' };
}

/** The stanza, unless it is larger than the server permits: that would cost the whole stream. */
function sizedMessage({ config }: ConnectionState, event: OutgoingEvent, destination: Destination): Element {
  const most = maxBodyBytes(config);
  const advice = 'send less, or raise maxStanzaBytes if the server permits';
  if (event.body.length > most)
    throw new TooLarge(`a body of ${event.body.length} bytes, more than ${most}: ${advice}`);
  const message = encodeMessage(event, destination);
  const bytes = Buffer.byteLength(message.toString());
  if (bytes <= config.maxStanzaBytes) return message;
  throw new TooLarge(`a stanza of ${bytes} bytes, more than maxStanzaBytes (${config.maxStanzaBytes}): ${advice}`);
}
