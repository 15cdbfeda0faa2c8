import type { LogFields } from '@magpie/contract';
import type { DeadLetter, LogState, StoredEvent } from '../../contract/index.ts';
import type { Positions } from '../../shared/positions.ts';
import { decodeDeadLetter, decodeException } from '../file/consumer-codec.ts';
import { decodeRecord, RecordDamaged } from '../file/event-record.ts';
import type { WireEvent, WireState } from '../protocol/reader.ts';
import type { WireDeadLetter } from '../protocol/writer.ts';
import type { Damage } from './damage.ts';

/** Turns the reader's rows into what the contract returns. Damaged records are reported and left out. */
export interface Decoder {
  events(rows: readonly WireEvent[]): StoredEvent[];
  state(state: WireState): LogState;
  deadLetters(rows: readonly WireDeadLetter[]): DeadLetter[];
}

/** Makes the decoder of a log. Called once, by the stored log. */
export function createDecoder(positions: Positions, damage: Pick<Damage, 'found'>): Decoder {
  /** What `decode` makes of each row, without the damaged ones. */
  const sound = <Row, Value>(
    rows: readonly Row[],
    name: (row: Row) => LogFields,
    decode: (row: Row) => Value,
  ): Value[] => {
    const values: Value[] = [];
    for (const row of rows) {
      try {
        values.push(decode(row));
      } catch (error) {
        if (!(error instanceof RecordDamaged)) throw error;
        damage.found(name(row), error.message);
      }
    }
    return values;
  };
  return {
    events: (rows) =>
      sound(
        rows,
        ({ position }) => ({ position: positions.of(position) }),
        ({ position, record }) => ({ position: positions.of(position), event: decodeRecord(record) }),
      ),
    state: ({ matched, consumers, exceptions, ...rest }) => {
      const reached = matched === undefined ? undefined : positions.of(matched);
      const floors = new Map(rest.floors.map(({ consumer, floor }) => [consumer, positions.of(floor)]));
      return {
        matched: reached,
        consumers: new Map(consumers.map(({ consumer, ...known }) => [consumer, known])),
        floors,
        waiting: new Map(
          rest.floors.flatMap(({ consumer, waiting }) => (waiting === null ? [] : [[consumer, waiting]])),
        ),
        exceptions: sound(
          exceptions,
          ({ consumer, position }) => ({ target: consumer, position: positions.of(position) }),
          (row) => decodeException(row, positions),
        ),
        dead: new Map(
          [...Map.groupBy(rest.letters, ({ consumer }) => consumer)].map(([consumer, letters]) => [
            consumer,
            new Set(letters.map(({ position }) => positions.of(position))),
          ]),
        ),
      };
    },
    deadLetters: (rows) => sound(rows, ({ id }) => ({ id }), decodeDeadLetter),
  };
}
