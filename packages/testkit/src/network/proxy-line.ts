import type { Socket } from 'node:net';

/** What a test does to the network; the proxy changes it while lines run. */
export interface LineConditions {
  /** Milliseconds that each byte spends on its way. */
  delay: number;
  /** Nothing leaves while true. */
  held: boolean;
}

/** One direction of a proxied connection. */
export interface FaultyLine {
  /** Looks at the conditions again. Called when `held` changed. */
  release(): void;
  /** Drops what is under way. Called once, before both sockets are reset. */
  stop(): void;
}

/** Bytes on their way before the sender is paused: room for a delayed burst, but bounded as a real network's. */
const capacity = 4 * 1024 * 1024;

type Parcel = { readonly due: number; readonly bytes: Buffer | undefined };

/** Carries what `from` sends, and its end, to `to` in order under `conditions`. Called twice per connection. */
export function createFaultyLine(from: Socket, to: Socket, conditions: LineConditions): FaultyLine {
  const underway: Parcel[] = [];
  let size = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const add = (bytes: Buffer | undefined) => {
    size += bytes?.length ?? 0;
    underway.push({ due: performance.now() + conditions.delay, bytes });
    if (size > capacity) from.pause();
    release();
  };
  const release = () => {
    clearTimeout(timer);
    if (stopped) return;
    for (let next = underway[0]; next !== undefined && !conditions.held; next = underway[0]) {
      const wait = next.due - performance.now();
      if (wait > 0) {
        timer = setTimeout(release, wait);
        return;
      }
      underway.shift();
      size -= next.bytes?.length ?? 0;
      deliver(to, next.bytes, from);
    }
    if (size <= capacity && !to.writableNeedDrain) from.resume();
  };
  from.on('data', add);
  from.on('end', () => add(undefined));
  to.on('drain', release);
  return {
    release,
    stop: () => {
      clearTimeout(timer);
      stopped = true;
    },
  };
}

/** `undefined` is the sender's FIN. */
function deliver(to: Socket, bytes: Buffer | undefined, from: Socket): void {
  if (!to.writable) return;
  if (bytes === undefined) to.end();
  else if (!to.write(bytes)) from.pause();
}
