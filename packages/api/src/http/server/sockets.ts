import type { Server, Socket } from 'node:net';

/** How long a peer may take nothing of what is written to it, ms. */
const STALLED_MS = 60_000;

/** Time between two looks at all sockets, ms. */
const CHECK_MS = 5000;

/** How far a peer had got with reading, and since when. */
interface Progress {
  taken: number;
  at: number;
}

/**
 * Every socket of a server: the server forgets those that became WebSockets, waits for ever for one with half a request or
 * none, and keeps what a peer does not read for as long as that stays.
 */
export class Sockets {
  readonly #open = new Map<Socket, Progress>();
  readonly #timer: NodeJS.Timeout;
  readonly #stalledMs: number;

  /** `stalledMs`: how long a peer may take nothing of what is written to it. */
  constructor(server: Server, stalledMs: number = STALLED_MS) {
    this.#stalledMs = stalledMs;
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, { taken: 0, at: performance.now() });
      socket.once('close', () => this.#open.delete(socket));
    });
    this.#timer = setInterval(() => this.#cutStalled(), Math.min(CHECK_MS, stalledMs / 2));
    this.#timer.unref();
  }

  /** Cuts all of them and looks at none any more. */
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
