import { untilAborted } from '@magpie/adapter-kit';
import { type AdapterContext, type MagpieError, NotConnected, throwIfAborted } from '@magpie/contract';
import { brokerServer } from '../broker/broker.ts';
import type { MemoryClient } from '../broker/client.ts';
import type { MemoryConfig } from '../config.ts';

/** The link of one connection: at most one client at a time, none before `open` and after a loss. */
export interface MemoryLink {
  /** The established client. Throws `NotConnected` while there is none. */
  current(): MemoryClient;
  /** Opens the link. Rejects with the broker's error, or with `Aborted` when the signal fires or `close` is called. */
  open(signal: AbortSignal): Promise<void>;
  /** Stops deliveries, if there is a link. */
  pause(signal: AbortSignal): Promise<void>;
  /** Drops the link and reports the reason to the supervisor. */
  lose(error: MagpieError): void;
  /** Ends an `open` in progress, closes in order, or cuts when the signal fires first. Never rejects. */
  close(signal: AbortSignal): Promise<void>;
}

/** Makes the link of a connection; nothing happens before `open`. */
export function createLink(config: MemoryConfig, clientId: string, context: AdapterContext): MemoryLink {
  const broker = brokerServer(config.broker);
  let client: MemoryClient | undefined;
  let attempt = new AbortController();

  const lose = (error: MagpieError): void => {
    client = undefined;
    context.lost(error);
  };
  return {
    current: () => {
      if (client?.up) return client;
      throw new NotConnected(`connection "${context.name}" has no link to the in-memory broker "${config.broker}"`);
    },
    open: async (signal) => {
      throwIfAborted(signal);
      attempt = new AbortController();
      const ended = AbortSignal.any([signal, attempt.signal]);
      const connecting = broker.connect({ clientId, password: config.password }, lose);
      client = await untilAborted(connecting, ended).catch((error: unknown) => {
        connecting.then((late) => late.destroy()).catch(() => undefined); // The caller already has its error.
        throw error;
      });
    },
    pause: async (signal) => {
      if (client?.up) await untilAborted(client.pause(), signal);
    },
    lose,
    close: async (signal) => {
      attempt.abort();
      const closing = client;
      client = undefined;
      if (!closing?.up) return;
      try {
        throwIfAborted(signal);
        await untilAborted(closing.close(), signal);
      } catch {
        closing.destroy(); // Closing took too long: cut the link.
      }
    },
  };
}
