import { type HandedBatch, SinkBatches } from '@magpie/adapter-kit';
import { NotConnected, type ReceivedEvent, type Sink, type Verdict } from '@magpie/contract';
import type { Link } from '../link/link.ts';
import type { AckBytes } from '../wire/outgoing.ts';

/** A received message on its way into the log. */
export interface Entry {
  readonly event: ReceivedEvent;
  /** Bytes of its acknowledgement; 0 at QoS 0. */
  readonly reply: AckBytes;
  /** Called once the message is durable. */
  onStored?(): void;
}

/** Destination and filter of the entries of one link. */
export interface Outlet {
  readonly link: Link;
  readonly sink: Sink;
  /** Whether to store the entry; other entries are acknowledged in order. Called per entry. */
  wants(entry: Entry): boolean;
}

/** Hands received messages of one link to the sink in batches and acknowledges them in the order of receipt. */
export interface Intake {
  /** Takes one message. Never throws, never waits. */
  take(entry: Entry): void;
  /** Sets the destination; entries received before are handed over first. */
  open(outlet: Outlet): void;
  /** Stops handing over; entries already handed over are still acknowledged. */
  quiesce(): void;
}

/** Limits and callbacks of one link's intake. */
export interface IntakeOptions {
  /** Number of entries without a verdict above which QoS 0 messages are dropped. */
  readonly window: number;
  /** Called with the number of QoS 0 messages that were dropped. */
  dropped(count: number): void;
}

/**
 * Makes the intake of one link. Entries left when the link closes are never acknowledged: the broker sends them again.
 */
export function createIntake({ window, dropped }: IntakeOptions): Intake {
  let outlet: Outlet | undefined;
  let pending = 0;
  let quiet = false;

  const hand = (entries: readonly Entry[], { wants, link }: Outlet): HandedBatch => {
    const judged = entries.map((entry) => ({ entry, isWanted: wants(entry) }));
    return {
      events: judged.filter(({ isWanted }) => isWanted).map(({ entry }) => entry.event),
      settle(verdicts) {
        pending -= entries.length;
        dropped(settle(judged, verdicts, link));
      },
    };
  };
  const batches = new SinkBatches<Entry>((entries) => hand(entries, outlet!));
  return {
    take(entry) {
      if (entry.reply === 0 && (quiet || pending >= window)) return dropped(1);
      pending++;
      batches.take(entry);
    },
    open(next) {
      batches.flush();
      outlet = next;
      if (!quiet) batches.open(next.sink);
    },
    quiesce() {
      quiet = true;
      batches.close();
    },
  };
}

/** An entry offered to the sink, or an unwanted one that only has to be acknowledged in order. */
interface Judged {
  readonly entry: Entry;
  readonly isWanted: boolean;
}

/**
 * Acknowledges a judged batch up to the first message that could not be stored, at which it ends the link: MQTT sends a
 * message again only on a new link [MQTT-4.4.0-1], and acknowledgements keep the order of receipt [MQTT-4.6.0-2].
 * @returns How many QoS 0 messages are lost.
 */
function settle(batch: readonly Judged[], verdicts: readonly Verdict[], link: Link): number {
  let lost = 0;
  let next = 0;
  for (const { entry, isWanted } of batch) {
    const verdict = isWanted ? verdicts[next++] : undefined;
    if (verdict?.type !== 'unavailable') {
      if (verdict?.type === 'stored') entry.onStored?.();
      if (entry.reply !== 0) link.acknowledge(entry.reply);
    } else if (entry.reply === 0) lost++;
    else {
      refuse(link, verdict.reason);
      break;
    }
  }
  return lost;
}

function refuse(link: Link, reason: string): void {
  if (!link.open) return;
  link.flush();
  link.cut(new NotConnected(`a received message could not be stored, the broker will send it again: ${reason}`));
}
