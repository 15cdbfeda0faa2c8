import { it } from 'vitest';
import { LONG } from './settings.ts';

/** A test of the long form alone: what it waits for takes minutes. */
export const inLongForm = (name: string, test: () => Promise<void>): void => {
  if (LONG) it(name, test);
};
