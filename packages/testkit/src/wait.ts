import { setTimeout as sleep } from 'node:timers/promises';

/** What {@link waitFor} waits for, and how. */
export interface WaitOptions {
  /** Names what is awaited in the error: `the message on topic a/b`. */
  readonly what: string;
  /** Milliseconds, default 5,000. */
  readonly timeout?: number;
  /** Milliseconds between two looks, default 10. */
  readonly interval?: number;
}

type Absent = undefined | null | false;

/**
 * Calls `condition` until it gives something other than `undefined`, `null` or `false`, and returns that.
 * A condition that throws is not fulfilled yet.
 * @throws Error naming `what`, the time and the last answer or error, when the time is over.
 */
export async function waitFor<Value>(
  condition: () => Value | Promise<Value>,
  { what, timeout = 5000, interval = 10 }: WaitOptions,
): Promise<Exclude<Awaited<Value>, Absent>> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const answer = await ask(condition);
    if ('value' in answer && isPresent(answer.value)) return answer.value;
    if (performance.now() >= deadline) {
      throw new Error(`Waited ${timeout} ms in vain for ${what}. Last answer: ${describe(answer)}.`, {
        cause: 'error' in answer ? answer.error : undefined,
      });
    }
    await sleep(interval);
  }
}

type Answer<Value> = { readonly value: Awaited<Value> } | { readonly error: unknown };

async function ask<Value>(condition: () => Value | Promise<Value>): Promise<Answer<Value>> {
  try {
    return { value: await condition() };
  } catch (error) {
    return { error };
  }
}

function isPresent<Value>(value: Value): value is Exclude<Value, Absent> {
  return value !== undefined && value !== null && value !== false;
}

function describe(answer: Answer<unknown>): string {
  if ('value' in answer) return String(answer.value);
  return `it threw ${answer.error instanceof Error ? answer.error.message : String(answer.error)}`;
}
