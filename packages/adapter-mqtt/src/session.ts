import { withDeadline } from '@magpie/adapter-kit';
import { type AdapterContext, BODY_LIMITS, NotConnected, type Sink } from '@magpie/contract';
import { decode } from './codec/decode.ts';
import { createMemo } from './codec/memo.ts';
import { type MqttConnection, PACKET_OVERHEAD } from './config.ts';
import { connectRequest } from './link/connect-request.ts';
import { type Endpoint, endpointOf, openSocket } from './link/dial.ts';
import { type Link, openLink } from './link/link.ts';
import { UnfinishedPublishes } from './link/unfinished-qos2.ts';
import { filterSet } from './receive/filters.ts';
import { createIntake, type Entry, type Intake, type Outlet } from './receive/intake.ts';
import { createReplayMemory, type ReplayMemory } from './receive/replay-memory.ts';
import { isReplay } from './receive/subscriptions.ts';
import { BrokerLimits } from './send/broker-limits.ts';
import { createOutbox, type Outbox } from './send/outbox.ts';
import type { AckBytes } from './wire/outgoing.ts';
import type { InboundPacket } from './wire/packets.ts';

/** State of a connection that outlives its links. */
export interface Setting {
  readonly config: MqttConnection;
  readonly context: AdapterContext;
  readonly endpoint: Endpoint;
  readonly replays: ReplayMemory;
  /** QoS 2 publishes left unfinished by lost links; the broker still holds them. */
  readonly unfinished: UnfinishedPublishes;
  readonly limits: BrokerLimits;
}

/** The setting of a new connection, before its first link. */
export const createSetting = (config: MqttConnection, context: AdapterContext): Setting => ({
  config,
  context,
  endpoint: endpointOf(config.url),
  replays: createReplayMemory(),
  unfinished: new UnfinishedPublishes(),
  limits: new BrokerLimits(context.clock),
});

/** One established link with all objects of its lifetime. */
export interface Session {
  readonly link: Link;
  readonly intake: Intake;
  readonly outbox: Outbox;
}

/**
 * One attempt to connect and log in, within the configured time. After a rejection everything is cleaned up.
 * @throws as `openSocket` and `openLink`; `NotConnected` when the time is over, `Aborted` when the signal fires.
 */
export function openSession(setting: Setting, signal: AbortSignal): Promise<Session> {
  const { config, context, endpoint } = setting;
  const ms = config.connectTimeout;
  const late = (): NotConnected => new NotConnected(`no answer from the broker at ${endpoint.text} within ${ms} ms`);
  const deadline = { clock: context.clock, ms, signal, what: `connecting to ${endpoint.text}`, late };
  return withDeadline(deadline, (limited) => establish(setting, limited));
}

async function establish(setting: Setting, signal: AbortSignal): Promise<Session> {
  const { config, context, endpoint, unfinished, limits } = setting;
  const dropped = (count: number): void => {
    if (count > 0) context.count('received-dropped', count);
  };
  const intake = createIntake({ window: config.receiveMaximum, dropped });
  const socket = await openSocket(config, endpoint, signal);
  const options = {
    request: connectRequest(config, context),
    where: endpoint.text,
    maxPacketBytes: incomingLimit(config),
    maxInflight: config.maxInflight,
    keepalive: config.keepalive,
    confirmTimeout: config.confirmTimeout,
    clock: context.clock,
    unfinished,
  };
  const link = await openLink(socket, options, (packet, reply) => intake.take(toEntry(setting, packet, reply)), signal);
  limits.named(link.broker);
  return {
    link,
    intake,
    outbox: createOutbox(link, { where: endpoint.text, maxInflight: config.maxInflight, limits }),
  };
}

/**
 * Messages above our limit must reach the log, which keeps them as dead letters: MQTT 3.1.1 cannot announce our limit,
 * and with a broker that ignores it the same message would end every link.
 */
const incomingLimit = ({ maxPacketBytes }: MqttConnection): number =>
  Math.max(maxPacketBytes, BODY_LIMITS.max + PACKET_OVERHEAD);

function toEntry({ config, context, replays }: Setting, packet: InboundPacket, reply: AckBytes): Entry {
  const { version, dedupe } = config;
  const replay = isReplay(packet);
  const now = context.clock.now();
  const event = decode(packet, { version, now, replay, dedupeProperty: dedupe?.userProperty });
  if (version === 5) return { event, reply };
  return { event, reply, onStored: () => replays.stored(packet.topic, event.body, replay) };
}

/**
 * The destination of a link's messages. Messages of subscriptions left over from an earlier configuration are dropped,
 * and on 3.1.1, where every SUBSCRIBE replays, repeated replays.
 */
export function outletOf({ config, replays }: Setting, link: Link, sink: Sink, filters: Iterable<string>): Outlet {
  const wanted = filterSet(filters);
  const isKnown = ({ origin, body }: Entry['event'], topic: string): boolean =>
    config.version === 3 && origin.replay === true && replays.repeats(topic, body);
  const covers = createMemo((topic: string) => wanted.covers(topic));
  const wants = ({ event }: Entry): boolean => {
    if (event.kind === 'status') return true;
    const topic = String(event.origin.topic);
    return covers(topic) && !isKnown(event, topic);
  };
  return { link, sink, wants };
}
