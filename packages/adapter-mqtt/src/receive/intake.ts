import { errorMessage, NotConnected, type ReceivedEvent, type Sink, type Verdict } from '@magpie/contract';
import type { Link } from '../link/link.ts';
import type { AckBytes } from '../wire/outgoing.ts';

/** Something received on its way into the log. */
export interface Entry {
  readonly event: ReceivedEvent;
  /** What acknowledges it; 0 at QoS 0. */
  readonly reply: AckBytes;
  /** Called once it is durable. */
  onStored?(): void;
}

/** Where entries of one link go, and what need not go there. */
export interface Outlet {
  readonly link: Link;
  readonly sink: Sink;
  /** Whether the entry is to be stored; the others are acknowledged in their turn. Called per entry. */
  wants(entry: Entry): boolean;
}

/** Takes what one link receives, hands it to the sink in batches and acknowledges in the order of receipt. */
export interface Intake {
  /** Takes one message. Never throws, never waits. */
  take(entry: Entry): void;
  /** From now on entries go here; what has come before is handed over first. */
  open(outlet: Outlet): void;
  /** Hands nothing over any more; what was handed over before is still acknowledged. */
  quiesce(): void;
}

/** Bounds of one link's intake, and who counts what it drops. */
export interface IntakeOptions {
  /** Entries without judgement from which on QoS 0 is dropped. */
  readonly window: number;
  /** Called with the number of QoS 0 messages that were dropped. */
  dropped(count: number): void;
}

const BATCH = 500;

/** Makes the intake of one link. What a closed link has left is never acknowledged: the broker sends it again. */
export function createIntake({ window, dropped }: IntakeOptions): Intake {
  let outlet: Outlet | undefined;
  let queue: Entry[] = [];
  let judged: Promise<void> = Promise.resolve();
  let pending = 0;
  let scheduled = false;
  let quiet = false;

  const flush = (): void => {
    scheduled = false;
    if (!outlet || quiet || queue.length === 0) return;
    const entries = queue;
    queue = [];
    for (let at = 0; at < entries.length; at += BATCH) hand(entries.slice(at, at + BATCH), outlet);
  };
  const hand = (batch: readonly Entry[], to: Outlet): void => {
    const wanted = batch.filter(to.wants);
    const verdicts = wanted.length > 0 ? askSink(to.sink, wanted) : Promise.resolve([]);
    judged = judged
      .then(() => verdicts)
      .then((list) => {
        pending -= batch.length;
        dropped(settle(batch, wanted, list, to.link));
      });
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    // After all packets of this turn of the loop, so that they become one batch.
    setImmediate(flush);
  };
  return {
    take(entry) {
      if (entry.reply === 0 && (quiet || pending >= window)) return dropped(1);
      pending++;
      queue.push(entry);
      schedule();
    },
    open(next) {
      flush();
      outlet = next;
      schedule();
    },
    quiesce() {
      quiet = true;
    },
  };
}

/** The sink's verdicts; a sink that breaks its promise never to reject has stored nothing. */
const askSink = (sink: Sink, entries: readonly Entry[]): Promise<readonly Verdict[]> =>
  sink(entries.map(({ event }) => event)).catch((error: unknown) =>
    entries.map(() => ({ type: 'unavailable', reason: errorMessage(error) }) as const),
  );

/**
 * Acknowledges a judged batch up to the first message that could not be stored, at which it ends the link: MQTT sends a
 * message again only on a new link [MQTT-4.4.0-1], and acknowledgements keep the order of receipt [MQTT-4.6.0-2].
 * @returns How many QoS 0 messages are lost.
 */
function settle(
  batch: readonly Entry[],
  wanted: readonly Entry[],
  verdicts: readonly (Verdict | undefined)[],
  link: Link,
): number {
  let lost = 0;
  let judged = 0;
  for (const entry of batch) {
    const isWanted = entry === wanted[judged];
    const verdict = isWanted ? verdicts[judged++] : undefined;
    if (isWanted && (verdict === undefined || verdict.type === 'unavailable')) {
      if (entry.reply === 0) {
        lost++;
        continue;
      }
      const reason = verdict?.reason ?? 'the sink gave no verdict';
      refuse(link, reason);
      break;
    }
    if (verdict?.type === 'stored') entry.onStored?.();
    if (entry.reply !== 0) link.acknowledge(entry.reply);
  }
  return lost;
}

function refuse(link: Link, reason: string): void {
  if (!link.open) return;
  link.flush();
  link.cut(new NotConnected(`a received message could not be stored, the broker will send it again: ${reason}`));
}
