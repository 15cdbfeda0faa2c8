import type { SQLOutputValue } from 'node:sqlite';
import { LogFailed } from '../../contract/index.ts';

/** Typed access to a row's columns; a column of another type means a file that Magpie did not write. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A column that holds a number. Throws `LogFailed`. */
export const numberIn = (row: Row, column: string): number => {
  const value = row[column];
  return typeof value === 'number' ? value : wrong(column, 'a number', value);
};

/** A column that holds text. Throws `LogFailed`. */
export const textIn = (row: Row, column: string): string => {
  const value = row[column];
  return typeof value === 'string' ? value : wrong(column, 'text', value);
};

/** A column that holds bytes. Throws `LogFailed`. */
export const bytesIn = (row: Row, column: string): Uint8Array => {
  const value = row[column];
  return value instanceof Uint8Array ? value : wrong(column, 'bytes', value);
};

const wrong = (column: string, expected: string, got: SQLOutputValue | undefined): never => {
  throw new LogFailed(`the log is damaged: column "${column}" should hold ${expected}, it holds ${typeof got}`);
};
