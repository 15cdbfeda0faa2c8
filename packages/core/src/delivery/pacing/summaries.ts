import {
  type AddressBook,
  type Clock,
  createQuiet,
  encodeBody,
  errorMessage,
  type Logger,
  type ReceivedEvent,
  sleep,
} from '@magpie/contract';
import { DIRECT, type Summary, type Target } from '@magpie/routing';
import type { Intake } from '../../intake/intake.ts';
import type { StateWriter } from '../../log-access/state-writer.ts';
import type { CountWindow } from './count-windows.ts';

/** How long to wait before a summary that the log does not take at the moment is tried again, in ms. */
const AGAIN_MS = 1000;

interface SummaryDeps {
  readonly intake: Pick<Intake, 'accept'>;
  readonly writer: Pick<StateWriter, 'flush'>;
  readonly book: AddressBook;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Says what a window has counted: in one message to its place where the route wants that, and in the log of the gateway. */
export interface Summaries {
  /**
   * Resolves once the summary is in the log of events, where it is a direct send; one that is there already changes nothing. False when
   * the gateway stops before. Called once per window that has counted something.
   */
  put(target: Target, window: CountWindow, summary: Summary | undefined, signal: AbortSignal): Promise<boolean>;
}

/** Makes what sends summaries. */
export function createSummaries({ intake, writer, book, clock, logger }: SummaryDeps): Summaries {
  const quiet = createQuiet(clock);

  const say = (
    { consumer, connection }: Target,
    { rule, place, count }: CountWindow,
    ref: string | undefined,
  ): void => {
    const due = quiet.due(`${consumer} ${place}`);
    const fields = { target: consumer, connection, place, count, ...(ref === undefined ? {} : { ref }) };
    const end = ref === undefined ? 'are dropped' : 'are in one summary';
    const why = rule === 'rate' ? 'exceed its rate' : 'came in its quiet hours';
    logger[due === undefined ? 'debug' : 'info'](
      fields,
      `${count} messages of ${consumer} to ${place} ${why} and ${end}`,
    );
  };

  const bodyOf = ({ consumer }: Target, { count, values }: CountWindow, summary: Summary) => {
    try {
      return summary.body(count, values);
    } catch (error) {
      logger.warn({ target: consumer, reason: errorMessage(error) }, 'a summary cannot be made as its route says');
      return encodeBody({ text: `${count} more` });
    }
  };

  return {
    put: async (target, window, summary, signal) => {
      const body = summary && bodyOf(target, window, summary);
      if (body === undefined || window.to === undefined) {
        say(target, window, undefined);
        return true;
      }
      // What it counts must not be counted again after a crash: that is durable first.
      await writer.flush();
      const event = received(target, window, body, book);
      while (!signal.aborted) {
        const [result] = await intake.accept(DIRECT, [event], 'refuse');
        if (result !== undefined && result.type !== 'unavailable') {
          say(target, window, 'ref' in result ? result.ref : undefined);
          return true;
        }
        await sleep(clock, AGAIN_MS, signal);
      }
      return false;
    },
  };
}

/** The summary as a direct send. */
function received(
  { connection, consumer }: Target,
  { id, to }: CountWindow,
  { body, contentType }: { readonly body: Uint8Array; readonly contentType?: string },
  book: AddressBook,
): ReceivedEvent {
  const { target, via } = to!;
  return {
    ...(contentType === undefined ? {} : { contentType }),
    address: target.address,
    kind: 'message',
    key: `${connection} ${book.format(target.address)}`,
    body,
    headers: [],
    via,
    origin: { connection, options: target.options, summaryOf: consumer },
    dedupeKey: `summary ${id}`,
  };
}
