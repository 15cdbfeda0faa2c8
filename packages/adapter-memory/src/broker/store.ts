import { type AddressPattern, type MagpieError, matchesPattern, Transient } from '@magpie/contract';
import { channelPattern, channelScheme } from '../codec/address.ts';
import type { MemoryMessage } from './message.ts';
import { createSession, SESSION_LIMIT, type Session } from './session.ts';

/** Called with every message published to a channel that a test watches. */
export type MemoryListener = (message: MemoryMessage) => void;

/** Most messages that `seen` remembers; older ones are forgotten. */
const SEEN_LIMIT = 10_000;

/** State of a broker: sessions, retained values, and a test's listeners. */
export interface Store {
  readonly seen: readonly MemoryMessage[];
  /** The session of a client id, created at first use. */
  session(clientId: string): Session;
  /**
   * Gives a message to every session that wants it. Throws the planned refusal, or `Transient` when a session is full.
   */
  accept(message: MemoryMessage): void;
  /** Queues the kept last values that the patterns match. */
  sendRetained(session: Session, patterns: readonly AddressPattern[]): void;
  /** Refuses the next messages. */
  refuse(count: number, error: () => MagpieError): void;
  /** Refuses all messages for a channel, for this reason; undefined: takes them again. */
  close(channel: string, reason: string | undefined): void;
  watch(filter: string, listener: MemoryListener): () => void;
  clear(): void;
}

/** An empty store. */
export function createStore(): Store {
  const sessions = new Map<string, Session>();
  const retained = new Map<string, MemoryMessage>();
  const watchers = new Set<{ readonly pattern: AddressPattern; readonly listener: MemoryListener }>();
  const seen: MemoryMessage[] = [];
  const closed = new Map<string, string>();
  let refusals: (() => MagpieError)[] = [];
  let last = 0;

  /** An empty retained message clears the kept value, as with MQTT. */
  const keep = (message: MemoryMessage): void => {
    if (!message.retain) return;
    if (message.body.length > 0) retained.set(message.channel, message);
    else retained.delete(message.channel);
  };
  const admit = (channel: string): void => {
    const reason = closed.get(channel);
    if (reason !== undefined) throw new Transient(`channel "${channel}": ${reason}`).concerning('place');
    const refusal = refusals.shift();
    if (refusal) throw refusal();
  };
  return {
    seen,
    session(clientId) {
      const session = sessions.get(clientId) ?? createSession();
      sessions.set(clientId, session);
      return session;
    },
    accept(message) {
      admit(message.channel);
      const takers = [...sessions.values()].filter((session) => session.wants(message.channel));
      if (takers.some(({ full }) => full)) {
        const words = `a subscriber of channel "${message.channel}" has ${SESSION_LIMIT} messages waiting`;
        throw new Transient(words).concerning('place');
      }
      keep(message);
      last++;
      // As with MQTT, only a replay on subscribing is marked as retained.
      for (const session of takers) session.enqueue(last, { ...message, retain: false });
      if (seen.push(message) > SEEN_LIMIT) seen.shift();
      for (const { pattern, listener } of watchers) if (covers(pattern, message)) listener(message);
    },
    sendRetained(session, patterns) {
      for (const message of retained.values()) {
        if (patterns.some((pattern) => covers(pattern, message))) session.enqueue(++last, message);
      }
    },
    refuse(count, error) {
      refusals = [...refusals, ...Array.from({ length: count }, () => error)];
    },
    close(channel, reason) {
      if (reason === undefined) closed.delete(channel);
      else closed.set(channel, reason);
    },
    watch(filter, listener) {
      const watcher = { pattern: channelPattern(filter), listener };
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    clear() {
      for (const collection of [sessions, retained, watchers, closed]) collection.clear();
      seen.length = 0;
      refusals = [];
    },
  };
}

const covers = (pattern: AddressPattern, { channel }: MemoryMessage): boolean =>
  matchesPattern(pattern, { scheme: channelScheme.scheme, segments: channelScheme.parse(channel) });
