/** Writes a line, or several, to standard output. */
export const print = (text: string): void => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);

/** Writes a value as indented JSON. */
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
