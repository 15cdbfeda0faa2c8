import { inspect } from 'node:util';
import { ListenFailed } from '@magpie/api';
import { LogLocked, LogRefused } from '@magpie/bus';
import { MagpieError } from '@magpie/contract';
import { CommanderError } from 'commander';
import { printError, printFailure } from './print.ts';

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

/**
 * Runs a command to its end; one that fails says so in a sentence on stderr and ends the process. Only a bug shows its stack.
 * Called once, by `main`.
 */
export async function finish(command: Promise<unknown>): Promise<void> {
  process.stdout.on('error', endWithReader);
  try {
    await command;
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode); // It has been shown already.
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

/** What the operating system refused: a file that is not there, a disk that is full. */
const isSystemError = (error: unknown): error is Error =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';

/** Whoever read the output has seen enough, as in `magpie tail | head`. */
function endWithReader(error: Error): void {
  if ('code' in error && error.code === 'EPIPE') process.exit(0);
  throw error;
}
