import { hash } from 'node:crypto';

/** Remembers the last stored message of replayed topics, to recognise a repeated replay. */
export interface ReplayMemory {
  /** Whether this equals the last stored message of the topic. */
  repeats(topic: string, body: Uint8Array): boolean;
  /** Called when a message is stored; live ones count only for topics that have been replayed before. */
  stored(topic: string, body: Uint8Array, replay: boolean): void;
}

/** Keeps at most `limit` topics, dropping the least recently used. */
export function createReplayMemory(limit = 10_000): ReplayMemory {
  const last = new Map<string, string>();
  const fingerprint = (body: Uint8Array): string => hash('sha256', body, 'base64');
  return {
    repeats: (topic, body) => last.has(topic) && last.get(topic) === fingerprint(body),
    stored(topic, body, replay) {
      if (!replay && !last.has(topic)) return;
      last.delete(topic);
      last.set(topic, fingerprint(body));
      const oldest = last.size > limit ? last.keys().next().value : undefined;
      if (oldest !== undefined) last.delete(oldest);
    },
  };
}
