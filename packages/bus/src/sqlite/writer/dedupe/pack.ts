import type { DedupeEntry } from './ring.ts';

/** An entry as stored: with the ref, which memory does not hold. */
export interface StoredEntry extends DedupeEntry {
  readonly ref: string;
}

/** Four 32-bit words, position and time as doubles, the ref as 36 characters. */
const ENTRY_BYTES = 68;
const REF_AT = 32;
const REF_LENGTH = 36;

/** Entries as one blob. */
export function packEntries(entries: readonly StoredEntry[]): Buffer {
  const packed = Buffer.alloc(entries.length * ENTRY_BYTES);
  for (const [index, entry] of entries.entries()) {
    const at = index * ENTRY_BYTES;
    packed.writeUInt32LE(entry.keyHigh, at);
    packed.writeUInt32LE(entry.keyLow, at + 4);
    packed.writeUInt32LE(entry.contentHigh, at + 8);
    packed.writeUInt32LE(entry.contentLow, at + 12);
    packed.writeDoubleLE(entry.position, at + 16);
    packed.writeDoubleLE(entry.at, at + 24);
    packed.write(entry.ref.slice(0, REF_LENGTH), at + REF_AT, 'latin1');
  }
  return packed;
}

/** Calls `visit` with every entry of a blob, without its ref. */
export function forEachEntry(packed: Uint8Array, visit: (entry: DedupeEntry) => void): void {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at + ENTRY_BYTES <= packed.byteLength; at += ENTRY_BYTES) {
    visit({
      keyHigh: view.getUint32(at, true),
      keyLow: view.getUint32(at + 4, true),
      contentHigh: view.getUint32(at + 8, true),
      contentLow: view.getUint32(at + 12, true),
      position: view.getFloat64(at + 16, true),
      at: view.getFloat64(at + 24, true),
    });
  }
}

/** The ref of the entry with a position; undefined when the blob has none. */
export function refInPack(packed: Uint8Array, position: number): string | undefined {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at + ENTRY_BYTES <= packed.byteLength; at += ENTRY_BYTES) {
    if (view.getFloat64(at + 16, true) !== position) continue;
    const ref = Buffer.from(packed.buffer, packed.byteOffset + at + REF_AT, REF_LENGTH).toString('latin1');
    return ref.replace(/\0+$/, '');
  }
  return undefined;
}

/** Number of entries in a blob. */
export const entriesIn = (packed: Uint8Array): number => packed.byteLength / ENTRY_BYTES;
