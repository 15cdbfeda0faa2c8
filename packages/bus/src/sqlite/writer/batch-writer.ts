import { classify, describeError } from '../file/sqlite-errors.ts';
import type { WireBatch, WireResult } from '../protocol/writer.ts';
import type { DiskGuard } from './disk-guard.ts';
import type { WriterStore } from './writer-store.ts';

/**
 * Writes a batch as one transaction where it can. A commit that is wrong in itself fails alone; on a full disk commits
 * that append are throttled and the others use the reserve. When that is used up too, the first that does not fit and
 * all after it are throttled: none overtakes another. Throws only what ends the log: nothing is tried again then.
 */
export function createBatchWriter(store: WriterStore, guard: DiskGuard): (batch: WireBatch) => WireResult[] {
  const throttled = (): WireResult => ({ type: 'throttled', message: guard.refusal() ?? 'the disk is full' });

  const writeAlone = (batch: WireBatch, index: number): WireResult => {
    try {
      return store.write(batch, [index])[0]!;
    } catch (error) {
      const failure = classify(error);
      if (failure === 'fatal') throw error;
      if (failure === 'request') return { type: 'rejected', message: describeError(error) };
      const hasReserve = guard.exhausted();
      return hasReserve && batch.commits[index]!.appends === 0 ? writeAlone(batch, index) : throttled();
    }
  };
  const writeEach = (batch: WireBatch): WireResult[] => {
    let usedUp = false;
    return batch.commits.map(({ appends }, index) => {
      if (usedUp || (appends > 0 && guard.refusal() !== undefined)) return throttled();
      const result = writeAlone(batch, index);
      usedUp = appends === 0 && result.type === 'throttled';
      return result;
    });
  };
  return (batch) => {
    if (guard.refusal() !== undefined) return writeEach(batch);
    try {
      return store.write(batch, [...batch.commits.keys()]);
    } catch (error) {
      const failure = classify(error);
      if (failure === 'fatal') throw error;
      if (failure === 'full') guard.exhausted();
      return writeEach(batch);
    }
  };
}
