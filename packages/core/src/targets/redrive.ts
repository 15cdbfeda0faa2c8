import type { DeadLetter, EventLog, ExceptionRow } from '@magpie/bus';
import { type Clock, type Event, encodeBody, Rejected, sleep } from '@magpie/contract';
import type { Connections } from '../connections/connections.ts';
import type { DeadLetterEdit, DeadLetterSelection, DeadLetters } from '../gateway-api/index.ts';
import type { StateWriter } from '../log-access/state-writer.ts';
import type { LoopGuard } from '../loops/loop-guard.ts';
import type { Targets } from './targets.ts';

interface DeadLetterDeps {
  readonly log: EventLog;
  readonly writer: StateWriter;
  readonly connections: Connections;
  readonly targets: Targets;
  readonly clock: Clock;
  readonly loops: Pick<LoopGuard, 'pardon'>;
  onFatal(error: Error): void;
}

const PAGE = 200;
/** Deliveries that a target may have waiting while many dead letters are tried again. */
const MOST_HELD = 100;
/** Before another look at a target that takes nothing now, in ms. */
const BUSY_MS = 250;

/** What a bulk operation remembers of a dead letter. */
type Found = Pick<{ readonly [Key in keyof DeadLetter]-?: DeadLetter[Key] | undefined }, 'consumer' | 'position'> & {
  readonly id: string;
};

export function createDeadLetters(deps: DeadLetterDeps): DeadLetters {
  const { log, writer, connections, targets, clock, loops, onFatal } = deps;
  let stopped = false;
  /** Letters that are being tried again right now. */
  const underWay = new Set<string>();

  /** How many bulk retries still have before them. */
  let retrying = 0;

  const all = async (query: DeadLetterSelection): Promise<readonly Found[]> => {
    const found: Found[] = [];
    for (let after: string | undefined; ; after = found.at(-1)?.id) {
      const page = await log.deadLetters({ ...query, ...(after === undefined ? {} : { after }), limit: PAGE });
      if (page.length === 0) return found;
      found.push(...page.map(({ id, consumer, position }) => ({ id, consumer, position })));
    }
  };

  const hasTarget = ({ consumer, position }: Found): boolean =>
    consumer !== undefined && position !== undefined && targets.queue(consumer) !== undefined;

  /** Whether a target works off what it gets: what it cannot take stays a dead letter, which needs no memory. */
  const takesMore = (consumer: string): boolean => {
    const queue = targets.queue(consumer);
    if (!queue) return true;
    const { suspended, held } = queue.load();
    return connections.isUp(queue.target.connection) && !suspended && held < MOST_HELD;
  };

  const retry = async (id: string, edit?: DeadLetterEdit): Promise<void> => {
    if (underWay.has(id)) throw new Rejected(`the dead letter ${id} is being tried again already`);
    underWay.add(id);
    await retryOnce(id, edit).finally(() => underWay.delete(id));
  };

  const retryOnce = async (id: string, edit: DeadLetterEdit | undefined): Promise<void> => {
    const letter = await log.deadLetter(id);
    if (!letter) throw new Rejected(`there is no dead letter ${id}`);
    const { consumer, position } = letter;
    if (consumer === undefined || position === undefined) {
      throw new Rejected('this message never entered the log as it was: publish it again in a form that can');
    }
    const queue = targets.queue(consumer);
    if (!queue) throw new Rejected(`its target ${consumer} is not configured any more`);
    const edited = edit ? editEvent(letter.event, edit) : letter.event;
    const match = targets.routes.match(edited).find(({ target }) => target.consumer === consumer);
    if (!match) throw new Rejected(`its route does not take it (any more): ask "magpie explain" why`);
    if (match.error) throw match.error;
    // Its time has been judged once; trying again is the operator's decision.
    const now = clock.now();
    const { expiresAt: _, ...event } = { ...edited, receivedAt: now };
    const row: ExceptionRow = {
      ...{ consumer, position, event, lane: match.key },
      ...{ state: 'retry', attempts: [], nextAttempt: now },
    };
    await writer.commit({ deadLetters: { remove: [id] }, exceptions: { put: [row] } });
    if (letter.reason === 'loop') loops.pardon(event);
    queue.revive(row);
  };

  const drain = async (letters: readonly Found[], rate: number): Promise<void> => {
    for (const { id, consumer = '' } of letters) {
      while (!stopped && !takesMore(consumer)) await sleep(clock, BUSY_MS);
      if (stopped) return;
      retrying--;
      // One that has gone meanwhile, or whose target has, stays as it is.
      await retry(id).catch((error: unknown) => {
        if (!(error instanceof Rejected)) throw error;
      });
      await sleep(clock, 1000 / rate);
    }
  };

  return {
    list: (query) => log.deadLetters(query),
    get: (id) => log.deadLetter(id),
    retry,
    retryAll: async (query, rate) => {
      const found = await all(query);
      const possible = found.filter(hasTarget);
      retrying += possible.length;
      // Side by side, so that a target that takes nothing now does not hold up the others.
      const byTarget = [...Map.groupBy(possible, ({ consumer }) => consumer).values()];
      for (const letters of byTarget) drain(letters, rate / byTarget.length).catch(onFatal);
      return { matched: found.length, skipped: found.length - possible.length };
    },
    retrying: () => retrying,
    drop: async (id) => {
      if (!(await log.deadLetter(id))) return false;
      await writer.commit({ deadLetters: { remove: [id] } });
      return true;
    },
    dropAll: async (query) => {
      const ids = (await all(query)).map(({ id }) => id);
      for (let start = 0; start < ids.length; start += PAGE) {
        await writer.commit({ deadLetters: { remove: ids.slice(start, start + PAGE) } });
      }
      return ids.length;
    },
    stop: () => {
      stopped = true;
    },
  };
}

function editEvent(event: Event, { contentType, headers, ...forms }: DeadLetterEdit): Event {
  const encoded = encodeBody(forms);
  return {
    ...event,
    ...(encoded ?? {}),
    ...(contentType === undefined ? {} : { contentType }),
    ...(headers === undefined ? {} : { headers }),
  };
}
