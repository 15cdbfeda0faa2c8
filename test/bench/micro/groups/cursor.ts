import assert from 'node:assert/strict';
import type { Appended, Commit, Position } from '@magpie/bus';
import type { Case, Group, Subject } from '../case.ts';
import { jsonBody, storedEvent } from '../samples.ts';
import { scratchLog } from '../scratch-log.ts';

/** Events in the log, on which cursors step. */
const EVENTS = 1024;

/** Moves `consumers` floors and the matched position one event on per commit, and appends `appended` events. */
async function moving(consumers: number, appended: number): Promise<Subject<readonly Appended[]>> {
  const { log, remove } = await scratchLog();
  const event = { event: storedEvent(jsonBody(256)) };
  const verdicts = await log.commit({ append: Array.from({ length: EVENTS }, () => event) });
  const places = verdicts.map(({ position }): Position => position);
  const names = Array.from({ length: consumers }, (_, index) => `route-${index}/erp/queue:inbox`);
  await log.commit({ consumers: { put: names.map((consumer) => ({ consumer, since: 0 })) } });
  const append = Array.from({ length: appended }, () => event);
  const change = (call: number): Commit => {
    const floor = places[call % EVENTS]!;
    return { matched: floor, floors: names.map((consumer) => ({ consumer, floor })), append };
  };
  return {
    run: (call) => log.commit(change(call)),
    check: (results) => assert.equal(results.length, appended),
    close: async (calls) => {
      const { floors, matched } = await log.state();
      const { events } = await log.stats();
      await remove();
      const last = places[(calls - 1) % EVENTS];
      assert.equal(matched, last, 'the matched position is another');
      assert.deepEqual([...new Set(floors.values())], [last], 'the floors are others');
      assert.deepEqual([floors.size, events], [consumers, EVENTS + calls * appended]);
    },
  };
}

const floorsText = (count: number): string => (count === 1 ? '1 floor' : `${count} floors`);

const moves = (consumers: number, appended = 0): Case => ({
  name: appended === 0 ? floorsText(consumers) : `${floorsText(consumers)} and ${appended} events of 256 B`,
  prepare: () => moving(consumers, appended),
});

/** Where deliveries stand. */
export const cursor: Group = {
  name: 'cursor',
  title: 'Cursor commits, fsynced',
  note: 'The matched position and the floors of targets moved by one commit, alone and together with what is appended.',
  operation: 'commit',
  waits: true,
  cases: [moves(1), moves(16), moves(256), moves(16, 128)],
};
