import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { createLedger, type Ledger, type LedgerReport } from '../../../support/ledger.ts';
import type { OpenPath } from '../world.ts';

const KEYS = 10;
const RETRY_MS = 100;
const GIVE_UP_MS = 60_000;

/** Messages that flow on one path until stopped, and the ledger that watches them. */
export interface Flow {
  readonly path: OpenPath;
  readonly ledger: Ledger;
  /** Resolves when `count` more messages have arrived. */
  arrived(count: number, timeout: number): Promise<void>;
  /** Resolves when a message that is sent from now on has arrived. */
  resumed(timeout: number): Promise<void>;
  /** Sends nothing new; resolves when what was being sent is acknowledged. */
  stop(): Promise<void>;
  /** Resolves when everything acknowledged has arrived, or when `timeout` is over: then the report shows what is lost. */
  settle(timeout: number): Promise<LedgerReport>;
}

let flows = 0;

/**
 * Starts to send on a path. Each key sends one message after the other and repeats it until it is acknowledged, so that
 * the order per key is known. `pauseMs` lies between two messages of one key on
 * a path of usual speed.
 */
export function startFlow(path: OpenPath, pauseMs: number): Flow {
  const ledger = createLedger();
  const prefix = `f${++flows}`;
  const newest = { sent: 0 };
  let stopping = false;
  path.listen((id, event, again) => {
    if (!id.startsWith(`${prefix}.`)) return; // a late copy from an earlier flow
    if (!(again && ledger.has(id))) ledger.received(id, event);
  });
  const sendAll = async (key: string): Promise<void> => {
    for (let number = 0; !stopping; number++) {
      const id = `${prefix}.${key}-${number}`;
      newest.sent = Math.max(newest.sent, number);
      if (await sendUntilAcked(path, key, id)) ledger.acked(id);
      await sleep(pauseMs * path.slowness);
    }
  };
  const sending = Array.from({ length: KEYS }, (_, key) => sendAll(`k${key}`));
  return {
    path,
    ledger,
    arrived: async (count, timeout) => {
      const before = ledger.report().received;
      const enough = (): boolean => ledger.report().received >= before + count;
      await waitFor(enough, { what: `${count} more messages on ${path.name}`, timeout });
    },
    resumed: async (timeout) => {
      const next = newest.sent + 1;
      const seen = (): boolean =>
        Array.from({ length: KEYS }, (_, key) => `${prefix}.k${key}`).some((key) => ledger.has(`${key}-${next}`));
      await waitFor(seen, { what: `a message sent after the fault on ${path.name}`, timeout });
    },
    stop: async () => {
      stopping = true;
      await Promise.all(sending);
    },
    settle: async (timeout) => {
      const all = { what: `everything acknowledged on ${path.name}`, timeout };
      await waitFor(() => ledger.missing() === 0, all).catch(() => undefined); // the report says it better
      return ledger.report();
    },
  };
}

/** Whether it was acknowledged in the end. */
async function sendUntilAcked({ client, name }: OpenPath, key: string, id: string): Promise<boolean> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    try {
      await client.send(key, id);
      return true;
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`nobody took ${id} on ${name}`, { cause: error });
      await sleep(RETRY_MS);
    }
  }
}
