import { createHash } from 'node:crypto';
import type { AdapterContext } from '@magpie/contract';
import { z } from 'zod';
import { Kept } from '../kept.ts';
import { type NodePlace, nameOf } from './existence.ts';

/** Items remembered of each node, which is twice as many as are read. */
const MOST = 200;

const schema = z.array(z.tuple([z.string(), z.string()]));

/** An item as it is remembered: by its id, and what was in it the last time. */
export interface ItemMark {
  readonly id: string;
  readonly content: string;
}

const short = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('base64url').slice(0, 12);

/** The mark of an item. */
export const markOfItem = (id: string, body: Uint8Array): ItemMark => ({ id: short(id), content: short(body) });

/** Which items of nodes are in the log, as far as they are needed to tell what was missed; kept there. One per connection. */
export class KnownItems {
  readonly #kept: Kept<z.output<typeof schema>>;
  readonly #marks = new Map<string, Map<string, string>>();

  constructor(context: Pick<AdapterContext, 'store' | 'clock' | 'logger'>) {
    this.#kept = new Kept(context, 'node ', schema);
  }

  /** Takes up what a former process knew. Called at every connect; reads once. */
  load(): Promise<void> {
    return this.#kept.load();
  }

  /** Whether anything was ever received from a node, or looked for in it. */
  has(place: NodePlace): boolean {
    return this.#kept.get(nameOf(place)) !== undefined;
  }

  /** Whether an item is there as it is. */
  knows(place: NodePlace, { id, content }: ItemMark): boolean {
    return this.#of(nameOf(place)).get(id) === content;
  }

  /** Whether none of the items that are known is among these ids. */
  isOutOfSight(place: NodePlace, ids: readonly string[]): boolean {
    const known = this.#of(nameOf(place));
    return known.size > 0 && !ids.some((id) => known.has(short(id)));
  }

  /** Items are in the log, oldest first. */
  add(place: NodePlace, marks: readonly ItemMark[]): void {
    const name = nameOf(place);
    const all = this.#of(name);
    for (const { id, content } of marks) {
      all.delete(id);
      all.set(id, content);
    }
    for (const oldest of all.keys()) {
      if (all.size <= MOST) break;
      all.delete(oldest);
    }
    this.#kept.set(name, [...all]);
  }

  /** Forgets nodes that are not wanted any more. Returns them. */
  keepOnly(wanted: ReadonlySet<string>): string[] {
    const unwanted = this.#kept.names().filter((name) => !wanted.has(name));
    for (const name of unwanted) {
      this.#kept.set(name, undefined);
      this.#marks.delete(name);
    }
    return unwanted;
  }

  #of(name: string): Map<string, string> {
    const known = this.#marks.get(name) ?? new Map(this.#kept.get(name) ?? []);
    this.#marks.set(name, known);
    return known;
  }
}
