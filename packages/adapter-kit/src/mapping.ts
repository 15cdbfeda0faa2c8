/**
 * One row of the documentation's mapping table: how a concept of an event travels. `Column` names a protocol or a
 * version of it; an empty cell means that it is lost there.
 */
export type MappingRow<Column extends string> = Readonly<Record<Column, string>> & {
  readonly concept: string;
  /** Fields of the event, separated by a comma and a space; concepts in parentheses are not fields of the event. */
  readonly field: string;
};
