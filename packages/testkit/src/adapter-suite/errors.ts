import { type ErrorName, MagpieError } from '@magpie/contract';
import { expect } from 'vitest';

/** The error a promise rejects with; fails when it resolves, or when the error is not one of the contract's taxonomy. */
export async function errorOf(promise: Promise<unknown>): Promise<MagpieError> {
  let resolved: unknown;
  try {
    resolved = await promise;
  } catch (error) {
    if (error instanceof MagpieError) return error;
    throw new Error('expected an error of the contract, got another', { cause: error });
  }
  throw new Error(`expected a rejection, but it resolved with ${JSON.stringify(resolved)}`);
}

/** Fails unless the promise rejects with one of these classes. Returns the error. */
export async function expectError(promise: Promise<unknown>, ...names: readonly ErrorName[]): Promise<MagpieError> {
  const error = await errorOf(promise);
  expect(names, `${error.name}: ${error.message}`).toContain(error.name);
  return error;
}
