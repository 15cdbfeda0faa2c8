import { EVENT_KINDS } from '@magpie/contract';
import { z } from 'zod';
import { storedEventSchema } from '../resources/events/schema.ts';

/** The subprotocol of `/v1/stream`. */
export const PROTOCOL = 'magpie.v1.json';

/** Limits of a stream socket. */
export interface StreamLimits {
  /** Largest frame an app may send, bytes. */
  readonly frameBytes: number;
  /** Largest frame the gateway sends, bytes; an event beyond it comes without its body. */
  readonly eventFrameBytes: number;
  /** Subscriptions per socket. */
  readonly subscriptions: number;
  /** Unsent bytes above which a socket gets no more events. */
  readonly bufferedBytes: number;
  /** Longest time a socket may stay above `bufferedBytes`, ms. */
  readonly slowMs: number;
  /** Time between two pings, ms. */
  readonly pingMs: number;
  /** Pings that may stay unanswered. */
  readonly missedPings: number;
}

/** The default limits; tests lower them. */
export const STREAM_LIMITS: StreamLimits = {
  frameBytes: 64 * 1024,
  // Below 1 MiB, the default maximum of several client libraries.
  eventFrameBytes: 1_000_000,
  subscriptions: 32,
  bufferedBytes: 1024 * 1024,
  slowMs: 30_000,
  pingMs: 15_000,
  missedPings: 2,
};

/** Bytes of a frame besides its events: the type and a name of 64 characters, all escaped. */
export const FRAME_BYTES = 512;

/** Time an app should wait before it reconnects to a stopping gateway, ms. */
export const RECONNECT_MS = 1000;

/** Close codes. 4000 to 4399: reconnect and resume; 4400 to 4499: the app must change something first. */
export const CLOSE = {
  goingAway: { code: 1001, reason: 'the gateway is stopping', again: true },
  tooLarge: { code: 1009, reason: 'a frame was too large', again: true },
  slow: { code: 4008, reason: 'reading too slowly: resume from the last position', again: true },
  forbidden: { code: 4403, reason: 'the key is no longer valid, or may do something else now', again: false },
  noProtocol: { code: 4406, reason: `expected the subprotocol ${PROTOCOL}`, again: false },
} as const;

/** Why a socket is closed. */
export type Close = (typeof CLOSE)[keyof typeof CLOSE];

const id = z.string().min(1).max(64).describe('Name of the subscription, chosen by the app.');
const credit = z.int().min(1).max(100_000);
const position = z.string().max(255);

/** Frames an app sends, by type. */
export const CLIENT_FRAMES = {
  subscribe: z
    .strictObject({
      type: z.literal('subscribe'),
      id,
      connection: z.string().optional().describe('Only events of this connection.'),
      address: z.string().optional().describe('Only these addresses, as in `GET /v1/events`.'),
      kinds: z.array(z.enum(EVENT_KINDS)).min(1).optional().describe('Only events of these kinds.'),
      after: position.optional().describe('Events after this position, or `earliest`; default only new ones.'),
      credit: credit
        .or(z.literal(0))
        .optional()
        .describe('Number of events to send; default: as many as the socket accepts.'),
    })
    .describe('Starts a subscription.'),
  credit: z.strictObject({ type: z.literal('credit'), id, credit }).describe('Allows more events.'),
  unsubscribe: z.strictObject({ type: z.literal('unsubscribe'), id }).describe('Ends a subscription.'),
  ack: z
    .strictObject({ type: z.literal('ack'), id, position })
    .describe('Acknowledges processed events. Accepted without effect; reserved for cursors kept by the gateway.'),
  ping: z.strictObject({ type: z.literal('ping') }).describe('Asks for a `pong`: browsers do not see protocol pings.'),
} as const;

/** Any frame an app may send; everything else is answered with an `error` frame. */
export const clientFrameSchema = z.discriminatedUnion('type', [
  CLIENT_FRAMES.subscribe,
  CLIENT_FRAMES.credit,
  CLIENT_FRAMES.unsubscribe,
  CLIENT_FRAMES.ack,
  CLIENT_FRAMES.ping,
]);

/** A checked frame of an app. Parsed and carried out by the session. */
export type ClientFrame = z.output<typeof clientFrameSchema>;

/** Frames the gateway sends, by type. */
export const SERVER_FRAMES = {
  hello: z
    .object({
      type: z.literal('hello'),
      protocol: z.literal(PROTOCOL),
      gateway: z.string(),
      maxFrameBytes: z.int(),
      maxEventFrameBytes: z
        .int()
        .describe('Largest frame of the gateway; a larger event has `bodyUrl` instead of its body.'),
      maxSubscriptions: z.int(),
      pingMs: z.int(),
    })
    .describe('The first frame: the gateway and its limits.'),
  subscribed: z
    .object({ type: z.literal('subscribed'), id, position: position.nullable() })
    .describe('A subscription has started after this position; `null`: at the beginning of the log.'),
  events: z
    .object({ type: z.literal('events'), id, events: z.array(storedEventSchema) })
    .describe('Events in log order. Keep the last position to resume.'),
  gap: z
    .object({ type: z.literal('gap'), id, from: position, to: position })
    .describe('Events between these positions are no longer kept.'),
  unsubscribed: z.object({ type: z.literal('unsubscribed'), id }).describe('A subscription has ended.'),
  error: z
    .object({
      type: z.literal('error'),
      id: id.optional(),
      status: z.int(),
      title: z.string(),
      detail: z.string(),
    })
    .describe('A frame was invalid or a subscription failed; contains a problem document. The socket stays open.'),
  pong: z.object({ type: z.literal('pong') }).describe('Answers `ping`.'),
  bye: z
    .object({ type: z.literal('bye'), reconnectAfterMs: z.int() })
    .describe('The gateway is stopping; a close with 1001 follows.'),
} as const;

/** Any frame an app may receive, for clients. */
export const serverFrameSchema = z.discriminatedUnion('type', [
  SERVER_FRAMES.hello,
  SERVER_FRAMES.subscribed,
  SERVER_FRAMES.events,
  SERVER_FRAMES.gap,
  SERVER_FRAMES.unsubscribed,
  SERVER_FRAMES.error,
  SERVER_FRAMES.pong,
  SERVER_FRAMES.bye,
]);

/** A control frame of the gateway. Frames with events are assembled as text, see `EventEncoder`. */
export type ServerFrame = { [K in keyof typeof SERVER_FRAMES]: z.output<(typeof SERVER_FRAMES)[K]> }[Exclude<
  keyof typeof SERVER_FRAMES,
  'events'
>];
