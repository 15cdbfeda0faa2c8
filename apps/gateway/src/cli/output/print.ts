import { visibleLines } from '@magpie/schema-messages';

/**
 * Writes one or more lines to standard output. All output of commands goes through this function or `printError`:
 * control characters are shown as escapes. Foreign text is passed through `visible` first, so that it cannot start
 * lines of its own.
 */
export const print = (text: string): void => void process.stdout.write(lines(text));

/** Writes one or more lines to standard error. */
export const printError = (text: string): void => void process.stderr.write(lines(text));

/**
 * Writes why a command failed. Only the first line starts at the margin, so that quoted text cannot pass for a line of
 * ours.
 */
export const printFailure = (message: string): void => printError(message.trimEnd().replace(/\n(?! )/g, '\n  '));

/** Writes a value as indented JSON; escapes keep its value. */
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

const lines = (text: string): string => visibleLines(text.endsWith('\n') ? text : `${text}\n`);
