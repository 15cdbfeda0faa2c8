import type { DatabaseSync } from 'node:sqlite';
import type { ConsumerChanges } from '../../contract/index.ts';
import type { WireChanges } from '../protocol/writer.ts';

/** Writes known consumers, floors, exceptions, dead letters, outcomes and values of connections inside the caller's transaction. */
export interface StateWriter {
  apply(changes: WireChanges): void;
}

/** Prepares the statements. Called once by the writer store. */
export function createStateWriter(db: DatabaseSync): StateWriter {
  const applyConsumers = consumersWriter(db);
  const matched = db.prepare("INSERT OR REPLACE INTO meta VALUES ('matched', ?)");
  const putFloor = db.prepare('INSERT OR REPLACE INTO floors VALUES (?, ?, ?)');
  const removeFloor = db.prepare('DELETE FROM floors WHERE consumer = ?');
  const putException = db.prepare('INSERT OR REPLACE INTO exceptions VALUES (?, ?, ?, ?)');
  const removeException = db.prepare('DELETE FROM exceptions WHERE consumer = ? AND position = ?');
  const putLetter = db.prepare('INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?)');
  const removeLetter = db.prepare('DELETE FROM dead_letters WHERE id = ?');
  const putOutcome = db.prepare('INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?)');
  const putValue = db.prepare('INSERT OR REPLACE INTO connection_values VALUES (?, ?, ?)');
  const removeValue = db.prepare('DELETE FROM connection_values WHERE connection = ? AND key = ?');
  return {
    apply: (changes) => {
      applyConsumers(changes.consumers);
      if (changes.matched !== undefined) matched.run(changes.matched);
      for (const { consumer, floor, waiting } of changes.floors) {
        if (floor === null) removeFloor.run(consumer);
        else putFloor.run(consumer, floor, waiting);
      }
      for (const { consumer, position } of changes.removeExceptions) removeException.run(consumer, position);
      for (const row of changes.putExceptions) putException.run(row.consumer, row.position, row.detail, row.record);
      for (const id of changes.removeDeadLetters) removeLetter.run(id);
      for (const { id, consumer, reason, detail, record, renderedBody, position } of changes.putDeadLetters) {
        putLetter.run(id, consumer, reason, detail, record, renderedBody, position);
      }
      for (const { ref, consumer, at, detail } of changes.outcomes) putOutcome.run(ref, consumer, at, detail);
      for (const { connection, key, value } of changes.values) {
        if (value === undefined) removeValue.run(connection, key);
        else putValue.run(connection, key, value);
      }
    },
  };
}

/** Writes the set of known consumers; `remove` comes first, so that a commit can start a consumer afresh. */
function consumersWriter(db: DatabaseSync): (changes: ConsumerChanges) => void {
  const traces = ['consumers', 'floors', 'exceptions'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE consumer = ?`),
  );
  const putConsumer = db.prepare('INSERT OR REPLACE INTO consumers VALUES (?, ?, NULL)');
  const orphanConsumer = db.prepare('UPDATE consumers SET orphaned = ? WHERE consumer = ? AND orphaned IS NULL');
  return ({ put = [], orphan = [], remove = [] }) => {
    for (const consumer of remove) for (const trace of traces) trace.run(consumer);
    for (const { consumer, since } of put) putConsumer.run(consumer, since);
    for (const { consumer, at } of orphan) orphanConsumer.run(at, consumer);
  };
}
