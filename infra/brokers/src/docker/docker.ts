import { findProgram, messageOf, run } from '../process/run.ts';

/** Time for the engine to answer, ms: one on another machine may never. */
const ANSWER_MS = 10_000;

/**
 * Why Docker Compose cannot be used here, as a clause for a sentence, or undefined when it can: a `docker` program, an engine
 * that answers, the Compose plug-in. Takes milliseconds, at most 20 s. Never throws.
 */
export async function dockerObstacle(): Promise<string | undefined> {
  const docker = findProgram('docker');
  if (docker === undefined) return 'there is no program "docker" in PATH';
  try {
    await run(docker, ['version', '--format', '{{.Server.Version}}'], { timeout: ANSWER_MS });
  } catch (error) {
    return `no Docker engine answers (${firstLine(error)})`;
  }
  try {
    await run(docker, ['compose', 'version', '--short'], { timeout: ANSWER_MS });
  } catch (error) {
    return `Docker has no Compose plug-in (${firstLine(error)})`;
  }
  return undefined;
}

/** Docker prints its usage below what is wrong. */
const firstLine = (error: unknown): string => messageOf(error).split('\n', 1).join('');
