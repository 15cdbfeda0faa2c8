/**
 * Finds slots of a ring by their hash: open addressing with linear probing and without tombstones, so that a table that has
 * turned over a million times is as fast as a new one. Walk a hash's run by `first`, `next` and `slotAt`.
 */
export interface SlotTable {
  /** Place where the run of a hash begins. */
  first(hash: number): number;
  /** Place after this one. */
  next(place: number): number;
  /** Slot at a place, or -1 at the end of a run. */
  slotAt(place: number): number;
  put(slot: number): void;
  /** Takes a slot out that is in. Its hash must still be the one it was put in by. */
  remove(slot: number): void;
}

/**
 * A table for `capacity` (a power of two) slots, at most half full. `hashOf` gives the hash of a slot's present content. Used by
 * the dedupe ring alone, for every event.
 */
export function createSlotTable(capacity: number, hashOf: (slot: number) => number): SlotTable {
  const table = new Int32Array(capacity * 2); // Slot + 1; 0 is a free place.
  const mask = table.length - 1;
  const next = (place: number): number => (place + 1) & mask;

  /** Closes the hole at `start` by moving later entries of its run back. */
  const closeHole = (start: number): void => {
    let hole = start;
    for (let place = next(hole); table[place] !== 0; place = next(place)) {
      const home = hashOf(table[place]! - 1) & mask;
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      table[hole] = table[place]!;
      hole = place;
    }
    table[hole] = 0;
  };
  const seek = (slot: number, wanted: number): number => {
    let place = hashOf(slot) & mask;
    while (table[place] !== wanted) place = next(place);
    return place;
  };
  return {
    first: (hash) => hash & mask,
    next,
    slotAt: (place) => table[place]! - 1,
    put: (slot) => {
      table[seek(slot, 0)] = slot + 1;
    },
    remove: (slot) => closeHole(seek(slot, slot + 1)),
  };
}
