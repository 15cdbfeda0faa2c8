import { type NoticePlace, possibleGap } from '@magpie/adapter-kit';
import { type AdapterContext, type Connection, NotConnected, throwIfAborted } from '@magpie/contract';
import { topicAddress } from './codec/address.ts';
import { encode, isUnconfirmed } from './codec/encode.ts';
import type { MqttConnection } from './config.ts';
import { clientIdOf } from './link/connect-request.ts';
import { ShortLinks } from './link/short-links.ts';
import { filterOf } from './receive/filters.ts';
import { createSubscriber } from './receive/subscriber.ts';
import { createSetting, openSession, outletOf, type Session } from './session.ts';

const MAX_PING_MS = 5000;

const GAP = 'the broker lost our session: messages may be missing';

/** A configured MQTT connection. No I/O until `connect`. */
export function createMqttConnection(config: MqttConnection, context: AdapterContext): Connection {
  const { version } = config;
  const setting = createSetting(config, context);
  const subscriber = createSubscriber(version, context);
  const shortLinks = new ShortLinks(context.clock, clientIdOf(config, context));
  const links = createLinks(context, setting.endpoint.text, shortLinks);
  let linkedBefore = false;
  let gap = false;
  return {
    async connect(signal) {
      const { broker } = await links.replace((either) => openSession(setting, either), signal);
      if (broker.sessionPresent) subscriber.doubt();
      else {
        subscriber.forget();
        gap ||= linkedBefore && config.session.expiry > 0;
      }
      linkedBefore = true;
    },
    async receive(sources, sink) {
      const { link, intake } = links.current();
      const filters = sources.map(({ pattern }) => filterOf(pattern));
      intake.open(outletOf(setting, link, sink, filters));
      if (gap) {
        const event = possibleGap(sessionPlace(context.name, version), GAP);
        intake.take({ event, reply: 0, onStored: () => (gap = false) });
      }
      await subscriber.receive(link, sources);
    },
    send(event, target, signal) {
      // Not an async function, which would cost another promise per message.
      try {
        throwIfAborted(signal);
        const { outbox } = links.current();
        return outbox.send(encode(event, target, version, context.clock.now()), signal);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    post(event, target) {
      const outbox = links.session?.outbox;
      if (!outbox || !isUnconfirmed(target)) return false;
      try {
        return outbox.post(encode(event, target, version, context.clock.now()));
      } catch {
        return false; // `send` reports the error.
      }
    },
    probe: async (signal) => links.current().link.ping(Math.min(MAX_PING_MS, config.keepalive), signal),
    async quiesce() {
      subscriber.quiesce();
      links.session?.intake.quiesce();
    },
    close: async (signal) => links.release()?.link.goodbye(signal),
  };
}

/** The address of notices about the session: a `$` topic, which no wildcard of a route matches. */
const sessionPlace = (connection: string, version: 5 | 3): NoticePlace => ({
  address: { scheme: topicAddress.scheme, segments: ['$magpie', connection, 'session'] },
  origin: { topic: `$magpie/${connection}/session`, qos: 0, retain: false, replay: false, dup: false, version },
});

/** The current link of a connection; reports its loss. */
function createLinks(context: AdapterContext, where: string, shortLinks: ShortLinks) {
  let session: Session | undefined;
  let attempt = new AbortController();
  /** Drops the link first, so that its end is not reported as a loss: we asked for it. */
  const release = (): Session | undefined => {
    attempt.abort();
    const last = session;
    session = undefined;
    last?.outbox.lost(new NotConnected(`the link to ${where} was closed`));
    return last;
  };
  const watch = (established: Session): void => {
    shortLinks.opened();
    established.link.onEnd(({ error, isSilent }) => {
      if (session !== established) return;
      session = undefined;
      established.outbox.lost(error);
      context.lost(shortLinks.explain(error, isSilent));
    });
  };
  return {
    release,
    get session() {
      return session;
    },
    /** The established link. @throws NotConnected */
    current(): Session {
      if (session) return session;
      throw new NotConnected(`no link to the broker at ${where}`);
    },
    /** Opens a link in place of the previous one; `release` ends the attempt. */
    async replace(open: (signal: AbortSignal) => Promise<Session>, signal: AbortSignal) {
      throwIfAborted(signal);
      release()?.link.cut(new NotConnected('connecting again'));
      attempt = new AbortController();
      const established = await open(AbortSignal.any([signal, attempt.signal]));
      session = established;
      watch(established);
      return established.link;
    },
  };
}
