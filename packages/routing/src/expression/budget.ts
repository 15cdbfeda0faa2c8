/**
 * Steps that all expressions together may take for one event. A step is what a simple operation takes, some 30 to 60 ns: half a
 * million of them are 15 to 30 ms in which the process does nothing else. What costs more than a step is priced by its cost, so that
 * no expression takes more than 50 ms.
 */
export const STEPS_PER_EVENT = 500_000;

/** The steps of an event are used up, or a result is larger than a message may be. */
export class BeyondBudget extends Error {
  override readonly name = 'BeyondBudget';
}

/** One object for all: it is thrown inside loops. */
const OUT_OF_STEPS = new BeyondBudget(
  `this takes more than the ${STEPS_PER_EVENT} steps that all expressions have for one event: its lists or texts are too long`,
);

let stepsLeft = STEPS_PER_EVENT;
let outputLimit = Number.POSITIVE_INFINITY;
let outputLeft = outputLimit;

/**
 * Begins with the next event: all routes are judged, or it is rendered for one target. Evaluation never waits for anything, so
 * there is one budget at a time.
 */
export function startSteps(): void {
  stepsLeft = STEPS_PER_EVENT;
}

/** Room for what a message has besides its body. */
const ENVELOPE_BYTES = 64 * 1024;

/** Starts the output budget of the next result: a message whose body has at most `bytes`, or an ordering key. */
export function startOutput(bytes: number): void {
  outputLimit = bytes;
  outputLeft = bytes + ENVELOPE_BYTES;
}

/** Spends steps before the work is done. Called per loop, and per operation whose cost depends on its operands. Throws `BeyondBudget`. */
export function spend(steps: number): void {
  stepsLeft -= steps;
  if (stepsLeft < 0) throw OUT_OF_STEPS;
}

/** Counts bytes of a result as they are made. Called per value that leaves an expression. Throws `BeyondBudget`. */
export function produce(bytes: number): void {
  outputLeft -= bytes;
  if (outputLeft < 0) throw tooLarge();
}

/** Checks a body that is made. Throws `BeyondBudget`. */
export function checkOutput(bytes: number): void {
  if (bytes > outputLimit) throw tooLarge();
}

const tooLarge = (): BeyondBudget =>
  new BeyondBudget(`the message would be larger than the ${outputLimit} bytes of "gateway.limits.maxBodyBytes"`);

/**
 * Evaluates something that spends steps. Throws `BeyondBudget` when they did not suffice, whatever came of it: an operator such
 * as `||` or a loop may have taken that for an error of one operand or element.
 */
export function withinSteps<T>(evaluate: () => T): T {
  const before = stepsLeft;
  const isSpent = (): boolean => before >= 0 && stepsLeft < 0;
  let value: T;
  try {
    value = evaluate();
  } catch (error) {
    throw isSpent() ? OUT_OF_STEPS : error;
  }
  if (isSpent()) throw OUT_OF_STEPS;
  return value;
}
