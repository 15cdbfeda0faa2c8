import { inspect } from 'node:util';
import { ListenFailed } from '@magpie/api';
import { LogLocked, LogRefused } from '@magpie/bus';
import { MagpieError } from '@magpie/contract';
import { CommanderError } from 'commander';
import { printError, printFailure } from './print.ts';

/** A command failed. Thrown by commands; `finish` prints it and sets the exit code. */
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

/**
 * Runs a command to its end. A failure is printed as a sentence on stderr and ends the process; only a bug prints its
 * stack. Called once, by `main`.
 */
export async function finish(command: Promise<unknown>): Promise<void> {
  process.stdout.on('error', endWithReader);
  try {
    await command;
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode); // Already printed.
    if (!isExpected(error)) {
      printError(inspect(error)); // A bug.
      process.exit(1);
    }
    printFailure(`magpie: ${error.message}`);
    process.exit(error instanceof CommandFailed ? error.exitCode : 1);
  }
}

const isExpected = (error: unknown): error is Error =>
  error instanceof CommandFailed ||
  error instanceof MagpieError ||
  error instanceof LogLocked ||
  error instanceof LogRefused ||
  error instanceof ListenFailed ||
  isSystemError(error);

/** An error of the operating system, such as a missing file or a full disk. */
const isSystemError = (error: unknown): error is Error =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';

/** The reader of the output is gone, as in `magpie tail | head`. */
function endWithReader(error: Error): void {
  if ('code' in error && error.code === 'EPIPE') process.exit(0);
  throw error;
}
