/** Ends the command with an error message on stderr and exit code 1. */
export function fail(message: string): never {
  process.stderr.write(`magpie: ${message}\n`);
  process.exit(1);
}
