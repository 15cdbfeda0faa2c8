import type { Machine, RowState } from './results.ts';

/** A figure of every size. */
export interface Column {
  readonly key: string;
  /** With its unit. */
  readonly heading: string;
}

/** A limit on growth. */
export interface Goal {
  readonly words: string;
  /** Key of the figure; it need not have a column. */
  readonly figure: string;
  /** The size it is about. */
  readonly to: number;
  /** The size whose figure it is divided by; without one the figure itself is meant. */
  readonly from?: number;
  readonly most: number;
  /** Of the figure itself. */
  readonly unit?: string;
}

/** One size. */
export interface ScaleRow {
  readonly size: number;
  readonly state: RowState;
  /** Why it is invalid or failed. */
  readonly reason?: string;
  readonly notes: readonly string[];
  /** By key, one value per round. */
  readonly figures: Readonly<Record<string, readonly number[]>>;
}

/** One series with all its sizes. */
export interface ScaleResult {
  readonly series: string;
  readonly title: string;
  readonly unit: string;
  readonly about: string;
  readonly columns: readonly Column[];
  readonly cost: string;
  readonly memory: string;
  readonly goals: readonly Goal[];
  readonly rows: readonly ScaleRow[];
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  /** Undefined where each size is measured once. */
  readonly settings?: { readonly rounds: number; readonly seconds: number };
}
