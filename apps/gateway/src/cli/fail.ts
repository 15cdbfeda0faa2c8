/** A command that ends without success. Thrown by commands, shown and turned into an exit code in one place. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Ends the command with an error message and exit code 1. */
export function fail(message: string): never {
  throw new CommandFailed(message);
}

/** Runs a command to its end; one that fails says so on stderr and ends the process. */
export async function finish(command: Promise<unknown>): Promise<void> {
  try {
    await command;
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    process.stderr.write(`magpie: ${error.message}\n`);
    process.exit(error.exitCode);
  }
}
