import { type HandedBatch, SinkBatches } from '@magpie/adapter-kit';
import { NotConnected, type ReceivedEvent, type Sink, type Verdict } from '@magpie/contract';
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

/** Makes the intake of one link. What a closed link has left is never acknowledged: the broker sends it again. */
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

/** An entry that was offered to the sink, or was not wanted any more and only has to be acknowledged in its turn. */
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
