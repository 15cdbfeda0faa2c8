/**
 * One row of the documentation's mapping table: how a concept of an event travels. `Column` names a protocol or a version of
 * it; an empty cell means that it does not travel there.
 */
export type MappingRow<Column extends string> = Readonly<Record<Column, string>> & {
  readonly concept: string;
  /** Fields of the event, separated by a comma and a space; in parentheses what is none. */
  readonly field: string;
};
