import type { EventLog, StoredEvent } from '@magpie/bus';
import { type Clock, type Event, Rejected } from '@magpie/contract';
import type { Target } from '@magpie/routing';
import { deliveryId, mayBeOf, timeOf } from '../delivery/delivery-id.ts';
import { deadLetter, putDeadLetter } from '../log-access/dead-letter.ts';
import type { StateWriter } from '../log-access/state-writer.ts';
import type { CoreObserver } from '../observer.ts';
import type { Targets } from '../targets/targets.ts';

interface BounceDeps {
  readonly log: EventLog;
  readonly writer: StateWriter;
  readonly targets: Pick<Targets, 'queues'>;
  readonly clock: Clock;
  readonly observer: Pick<CoreObserver, 'delivered'>;
  /** A message ended without success. */
  refused(ref: string, consumer: string, reason: string): void;
}

/** How far the receipt of an event may lie from the time in its ref, in ms. */
const SLACK_MS = 50;
const PAGE = 256;
/** Events looked at for one bounce at the most: a clock that was set back can give very many the same time. */
const PATIENCE = 20_000;

/**
 * Ends the delivery that a notice is about as `bounced`, with a dead letter; resolves when that is durable. A notice about
 * nothing we know, or from somewhere the message never went, changes nothing. Handling one twice changes nothing either.
 */
export type Bounces = (notice: StoredEvent) => Promise<void>;

/** Makes what turns a bounce into the dead letter of the delivery that bounced. */
export function createBounces({ log, writer, targets, clock, observer, refused }: BounceDeps): Bounces {
  return async (notice) => {
    const bounced = await findDelivery(notice.event);
    if (!bounced) return;
    const { target, stored } = bounced;
    const { event, position } = stored;
    const error = new Rejected(reasonOf(notice.event));
    const at = clock.now();
    const letter = deadLetter({
      // The notice's own ref, so that a notice that is handled again after a crash makes no second letter.
      id: notice.event.ref,
      ...{ at, event, consumer: target.consumer, position, reason: 'bounced', error },
      attempts: [{ at, error: error.name, message: error.message }],
    });
    await putDeadLetter(writer, letter, 'bounced');
    observer.delivered(target, 'bounced');
    refused(event.ref, target.consumer, error.message);
  };

  async function findDelivery(notice: Event): Promise<{ stored: StoredEvent; target: Target } | undefined> {
    const id = notice.correlationId ?? '';
    const time = timeOf(id);
    if (time === undefined) return undefined;
    const candidates = targets
      .queues()
      .map(({ target }) => target)
      .filter(({ connection }) => connection === notice.source);
    for await (const stored of eventsAround(time)) {
      if (!mayBeOf(id, stored.event.ref)) continue;
      const target = candidates.find(({ consumer }) => deliveryId(stored.event.ref, consumer) === id);
      if (target) return wentTo(target, stored.event, notice) ? { stored, target } : undefined;
    }
    return undefined;
  }

  /** Events received about that time, in order. */
  async function* eventsAround(time: number): AsyncGenerator<StoredEvent> {
    let after = await log.positionBefore(time - SLACK_MS);
    for (let seen = 0; seen < PATIENCE; ) {
      const page = await log.read(after, PAGE);
      for (const stored of page) {
        if (stored.event.receivedAt > time + SLACK_MS) return;
        yield stored;
      }
      after = page.at(-1)?.position;
      if (after === undefined) return;
      seen += page.length;
    }
  }
}

/** Only who got a message can send it back: anybody may have seen its id. */
function wentTo(target: Target, event: Event, notice: Event): boolean {
  try {
    const { segments } = target.render(event).target.address;
    return notice.address.segments.every((segment, index) => segment.toLowerCase() === segments[index]?.toLowerCase());
  } catch {
    return false;
  }
}

const reasonOf = ({ body }: Event): string =>
  body.byteLength > 0
    ? `it came back after it had been confirmed: ${Buffer.from(body).toString()}`
    : 'it came back after it had been confirmed';
