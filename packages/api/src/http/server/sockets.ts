import type { Server, Socket } from 'node:net';

/** Longest time a peer may read nothing of what is written to it, ms. */
const STALLED_MS = 60_000;

/** Interval of the check of all sockets, ms. */
const CHECK_MS = 5000;

/** How much a peer has read, and since when that has not changed. */
interface Progress {
  taken: number;
  at: number;
}

/**
 * All sockets of a server. The HTTP server itself forgets sockets that became WebSockets, waits for ever for incomplete
 * requests, and buffers unread answers for as long as the peer stays.
 */
export class Sockets {
  readonly #open = new Map<Socket, Progress>();
  readonly #timer: NodeJS.Timeout;
  readonly #stalledMs: number;

  /** `stalledMs`: longest time a peer may read nothing of what is written to it. */
  constructor(server: Server, stalledMs: number = STALLED_MS) {
    this.#stalledMs = stalledMs;
    const add = (socket: Socket): void => {
      this.#open.set(socket, { taken: 0, at: performance.now() });
      socket.once('close', () => this.#open.delete(socket));
    };
    server.on('connection', add);
    server.on('secureConnection', add); // What is unread shows at the TLS socket, not at the one below it.
    this.#timer = setInterval(() => this.#cutStalled(), Math.min(CHECK_MS, stalledMs / 2));
    this.#timer.unref();
  }

  /** Cuts all sockets and stops watching. */
  cut(): void {
    clearInterval(this.#timer);
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #cutStalled(): void {
    const now = performance.now();
    for (const [socket, progress] of this.#open) {
      const taken = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength === 0 || taken !== progress.taken) Object.assign(progress, { taken, at: now });
      else if (now - progress.at >= this.#stalledMs) socket.destroy();
    }
  }
}
