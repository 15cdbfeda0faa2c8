/** What the benchmark passes to a script: its first argument, as JSON. */
export const settings = (): Record<string, string> => JSON.parse(process.argv[2] ?? '{}');
