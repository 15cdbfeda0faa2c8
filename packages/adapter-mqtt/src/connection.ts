import {
  Aborted,
  type AdapterContext,
  BODY_LIMITS,
  type Connection,
  NotConnected,
  type OutgoingEvent,
  type SendReceipt,
  type Sink,
  type SourceRequest,
  type TargetRequest,
  TooLarge,
  throwIfAborted,
} from '@magpie/contract';
import { clientIdOf, clientOptions } from './client-options.ts';
import { type MqttConnection, maxBodyBytes } from './config.ts';
import { decode, type InboundPacket } from './decode.ts';
import { encode } from './encode.ts';
import { filterSet, planSubscriptions } from './filters.ts';
import { createIntake, type Entry, type Intake, type Outlet } from './intake.ts';
import { type Acknowledgement, type Link, openLink } from './link.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { possibleGap } from './possible-gap.ts';
import { createReplayMemory } from './replay-memory.ts';
import { type Endpoint, endpointOf, openSocket } from './socket.ts';
import { createSubscriptions, isReplay } from './subscriptions.ts';

const MAX_PING_MS = 5000;

/** One established link with everything that lives and dies with it. */
interface Session {
  readonly link: Link;
  readonly intake: Intake;
  readonly outbox: Outbox;
}

/** A configured MQTT connection. No I/O until `connect`. */
export function createMqttConnection(config: MqttConnection, context: AdapterContext): Connection {
  const { version } = config;
  const endpoint = endpointOf(config.url);
  const clientId = clientIdOf(config, context);
  const subscriptions = createSubscriptions(version);
  const replays = createReplayMemory();
  let session: Session | undefined;
  let linkedBefore = false;
  let gap = false;
  let attempts = new AbortController();

  /** Forgets the link first, so that its end is not reported: only what nobody here asked for is a loss. */
  const release = (): Session | undefined => {
    attempts.abort();
    const last = session;
    session = undefined;
    last?.outbox.lost(new NotConnected('the connection was closed'));
    return last;
  };

  const toEntry = (packet: InboundPacket, reply: Acknowledgement | undefined): Entry => {
    const replay = isReplay(packet);
    const event = decode(packet, {
      version,
      now: context.clock.now(),
      replay,
      dedupeProperty: config.dedupe?.userProperty,
    });
    if (version === 5) return { event, reply };
    return { event, reply, onStored: () => replays.stored(packet.topic, event.body, replay) };
  };

  const start = async (signal: AbortSignal): Promise<Session> => {
    const intake = createIntake({
      window: config.receiveMaximum,
      dropped: (count) => count > 0 && context.count('received-dropped', count),
    });
    const socket = await openSocket(config, endpoint, signal);
    const link = await openLink(
      socket,
      {
        client: clientOptions(config, clientId),
        where: endpoint.text,
        maxPacketBytes: incomingLimit(config),
        silence: 2 * config.keepalive,
        clock: context.clock,
      },
      (packet, reply) => intake.take(toEntry(packet, reply)),
      signal,
    );
    return { link, intake, outbox: createOutbox(link, config.maxInflight) };
  };

  const watch = (established: Session): void => {
    established.link.onEnd((error) => {
      if (session !== established) return;
      session = undefined;
      established.outbox.lost(error);
      context.lost(error);
    });
  };

  const current = (): Session => {
    if (session?.link.open) return session;
    throw new NotConnected(`no link to the broker at ${endpoint.text}`);
  };

  const outletOf = (link: Link, sink: Sink, filters: Iterable<string>): Outlet => {
    const wanted = filterSet(filters);
    return {
      link,
      sink,
      // Left-over subscriptions of an earlier configuration still bring messages that no source asks for.
      wants: ({ event }) => event.kind === 'status' || (wanted.covers(topicOf(event)) && !isKnownReplay(event)),
    };
  };
  const isKnownReplay = ({ origin, body }: Entry['event']): boolean =>
    version === 3 && origin.replay === true && replays.repeats(String(origin.topic), body);

  return {
    async connect(signal) {
      throwIfAborted(signal);
      release()?.link.cut(new NotConnected('connecting again'));
      attempts = new AbortController();
      session = await attempt(
        start,
        config.connectTimeout,
        endpoint,
        context,
        AbortSignal.any([signal, attempts.signal]),
      );
      watch(session);
      if (!session.link.broker.sessionPresent) {
        subscriptions.forget();
        gap ||= linkedBefore && config.session.expiry > 0;
      }
      linkedBefore = true;
    },
    async receive(sources: readonly SourceRequest[], sink: Sink) {
      const { link, intake } = current();
      const plan = planSubscriptions(sources);
      intake.open(outletOf(link, sink, plan.keys()));
      if (gap) {
        const event = possibleGap(context.name, version, context.clock.now());
        intake.take({ event, onStored: () => (gap = false) });
      }
      await subscriptions.apply(link, plan);
    },
    async send(event: OutgoingEvent, target: TargetRequest, signal: AbortSignal): Promise<SendReceipt> {
      throwIfAborted(signal);
      const { outbox } = current();
      checkBody(event, config);
      const packet = encode(event, target, version, context.clock.now());
      await outbox.send(packet, signal);
      return { confirmedBy: packet.qos === 0 ? 'written' : packet.qos === 1 ? 'puback' : 'pubcomp' };
    },
    async probe(signal) {
      await current().link.ping(Math.min(MAX_PING_MS, config.keepalive), signal);
    },
    async quiesce() {
      session?.intake.quiesce();
    },
    async close(signal) {
      await release()?.link.goodbye(signal);
    },
  };
}

const topicOf = ({ address }: Entry['event']): string => address.segments.join('/');

/** MQTT 5 tells the broker our limit; on 3.1.1 a larger message must get as far as the log, which refuses it for good. */
const incomingLimit = ({ version, maxPacketBytes }: MqttConnection): number =>
  version === 5 ? maxPacketBytes : Math.max(maxPacketBytes, BODY_LIMITS.max + 128 * 1024);

function checkBody({ body }: OutgoingEvent, { maxPacketBytes }: MqttConnection): void {
  const most = maxBodyBytes(maxPacketBytes);
  if (body.byteLength <= most) return;
  throw new TooLarge(`a body of ${body.byteLength} bytes, this connection sends at most ${most}: raise maxPacketBytes`);
}

/** Runs one attempt to connect within its time; what it reports on a time-out is `NotConnected`, on the caller's signal `Aborted`. */
async function attempt(
  start: (signal: AbortSignal) => Promise<Session>,
  timeout: number,
  { text }: Endpoint,
  { clock }: AdapterContext,
  signal: AbortSignal,
): Promise<Session> {
  const timer = new AbortController();
  const stop = clock.timeout(timeout, () => timer.abort());
  try {
    return await start(AbortSignal.any([signal, timer.signal]));
  } catch (error) {
    if (!(error instanceof Aborted) || signal.aborted) throw error;
    throw new NotConnected(`no answer from the broker at ${text} within ${timeout} ms`, { cause: error });
  } finally {
    stop();
  }
}
