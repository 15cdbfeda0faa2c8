import { hash } from 'node:crypto';
import type { Position } from '@magpie/bus';

/** Keys and places of one target whose last values are known; the one that was seen longest ago is forgotten for one more. */
export const MOST_VALUES = 10_000;

/** What was sent last, and in which delivery unless that was in an earlier process. */
interface Last {
  readonly value: string;
  readonly position: Position | undefined;
}

/** A delivery that has not ended. */
interface OnTheWay {
  readonly name: string;
  /** Set once somebody asks how it ends. */
  end?: PromiseWithResolvers<boolean>;
}

/** A short text in the place of one of any length. */
export const digest = (value: string | Uint8Array): string => hash('sha256', value, 'base64url');

/** What each place of one target got last, by ordering key. Values are kept as digests. */
export class ChangeFilter {
  readonly #last = new Map<string, Last>();
  readonly #onTheWay = new Map<Position, OnTheWay>();
  readonly #changed = new Set<string>();

  /** Whether nothing is known. */
  get isEmpty(): boolean {
    return this.#last.size === 0;
  }

  /** Forgets everything: what goes out meanwhile is not compared. */
  clear(): void {
    for (const name of this.#last.keys()) this.#changed.add(name);
    this.#last.clear();
    for (const { end } of this.#onTheWay.values()) end?.resolve(false);
    this.#onTheWay.clear();
  }

  /** Whether a message says what was sent last. What is on its way counts as sent. */
  isSame(key: string, value: string): boolean {
    return this.#last.get(digest(key))?.value === digest(value);
  }

  /** Whether what was sent last under a key has arrived; resolves when that is known, to false when it never is. */
  async hasArrived(key: string): Promise<boolean> {
    const last = this.#last.get(digest(key));
    if (last?.position === undefined) return last !== undefined;
    const going = this.#onTheWay.get(last.position);
    if (going === undefined) return true;
    going.end ??= Promise.withResolvers();
    return going.end.promise;
  }

  /** A message goes out. */
  pass(key: string, value: string, position: Position): void {
    const name = digest(key);
    this.#onTheWay.set(position, { name });
    this.#set(name, { value: digest(value), position });
  }

  /** A delivery has ended; what has not arrived is not what was sent last. */
  ended(position: Position, hasArrived: boolean): void {
    const going = this.#onTheWay.get(position);
    if (going === undefined) return;
    const { name, end } = going;
    this.#onTheWay.delete(position);
    end?.resolve(hasArrived);
    if (!hasArrived && this.#last.get(name)?.position === position) this.#forget(name);
  }

  /** What differs from what is kept, by name; undefined: it is forgotten. */
  *changes(): Iterable<readonly [string, string | undefined]> {
    for (const name of this.#changed) yield [name, this.#last.get(name)?.value];
    this.#changed.clear();
  }

  /** Takes back a value. Called before anything is sent. */
  restore(name: string, value: string): void {
    this.#last.set(name, { value, position: undefined });
  }

  #set(name: string, last: Last): void {
    const isNew = this.#last.get(name)?.value !== last.value;
    this.#last.delete(name);
    this.#last.set(name, last);
    if (isNew) this.#changed.add(name);
    if (this.#last.size > MOST_VALUES) this.#forget(this.#last.keys().next().value ?? name);
  }

  #forget(name: string): void {
    this.#last.delete(name);
    this.#changed.add(name);
  }
}
