import { visibleLines } from '@magpie/schema-messages';

/**
 * Writes a line, or several, to standard output. All that a command prints goes through here or `printError`: characters that
 * would steer the terminal are shown as escapes. Texts that others have written pass `visible` before, so that they cannot
 * begin lines of their own either.
 */
export const print = (text: string): void => void process.stdout.write(lines(text));

/** Writes a line, or several, to standard error. */
export const printError = (text: string): void => void process.stderr.write(lines(text));

/**
 * Writes why a command failed. Only the first line begins at the margin: whatever the message quotes cannot look like a line of
 * ours.
 */
export const printFailure = (message: string): void => printError(message.trimEnd().replace(/\n(?! )/g, '\n  '));

/** Writes a value as indented JSON; escapes keep its value. */
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

const lines = (text: string): string => visibleLines(text.endsWith('\n') ? text : `${text}\n`);
