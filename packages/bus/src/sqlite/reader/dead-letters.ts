import type { DatabaseSync } from 'node:sqlite';
import { LogFailed } from '../../contract/index.ts';
import { bytesIn, numberIn, type Row, textIn } from '../file/columns.ts';
import { isReason } from '../file/consumer-codec.ts';
import { REF_IN_RECORD, sourceInRecord } from '../file/event-record.ts';
import type { ReaderCalls } from '../protocol/reader.ts';
import type { WireDeadLetter } from '../protocol/writer.ts';

/** Bytes of bodies one list of dead letters has at the most, beyond its first. */
const LETTER_BYTES = 8 * 1024 * 1024;

/** The questions about dead letters. */
type LetterReader = {
  readonly [Name in 'deadLetters' | 'deadLetter']: (
    question: ReaderCalls[Name]['question'],
  ) => ReaderCalls[Name]['answer'];
};

/** Prepares the questions about dead letters. Called by the reader store; answers throw `LogFailed` for a damaged row. */
export function letterReader(db: DatabaseSync): LetterReader {
  const ref = REF_IN_RECORD;
  const source = sourceInRecord('');
  const select = (of: string): string =>
    `SELECT * FROM dead_letters WHERE ${of} id > :after AND (:reason IS NULL OR reason = :reason)
     AND (:since IS NULL OR json_extract(detail, '$.at') >= :since)
     AND (:until IS NULL OR json_extract(detail, '$.at') < :until)
     AND (:ref IS NULL OR substr(record, ${ref.start}, ${ref.length}) = :ref)
     AND (:source IS NULL OR substr(record, ${source.start}, length(:source)) = :source)
     ORDER BY id LIMIT :limit`;
  const all = db.prepare(select(''));
  const ofConsumer = db.prepare(select('consumer = :consumer AND'));
  const one = db.prepare('SELECT * FROM dead_letters WHERE id = ?');
  return {
    deadLetters: ({ consumer, reason = null, after = '', limit, since = null, until = null, ...query }) => {
      const given = {
        ...{ reason, after, limit, since, until },
        ref: query.ref === undefined ? null : Buffer.from(query.ref, 'latin1'),
        source: query.source === undefined ? null : sourceInRecord(query.source).bytes,
      };
      return upToBytes(consumer === undefined ? all.iterate(given) : ofConsumer.iterate({ ...given, consumer }));
    },
    deadLetter: ({ id }) => {
      const row = one.get(id);
      return row && letterIn(row);
    },
  };
}

function upToBytes(rows: Iterable<Row>): readonly WireDeadLetter[] {
  const letters: WireDeadLetter[] = [];
  let bytes = 0;
  for (const row of rows) {
    const letter = letterIn(row);
    letters.push(letter);
    bytes += letter.record.byteLength + (letter.renderedBody?.byteLength ?? 0);
    if (bytes > LETTER_BYTES) break;
  }
  return letters;
}

function letterIn(row: Row): WireDeadLetter {
  const reason = textIn(row, 'reason');
  if (!isReason(reason)) throw new LogFailed(`the log is damaged: a dead letter has the reason "${reason}"`);
  return {
    id: textIn(row, 'id'),
    consumer: row.consumer === null ? null : textIn(row, 'consumer'),
    reason,
    detail: textIn(row, 'detail'),
    record: bytesIn(row, 'record'),
    position: row.position === null ? null : numberIn(row, 'position'),
    renderedBody: row.rendered_body === null ? null : bytesIn(row, 'rendered_body'),
  };
}
