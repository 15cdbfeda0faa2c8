import { renameSync, rmSync, statSync } from 'node:fs';
import type { Logger } from '@magpie/contract';
import { LogRefused } from '../../contract/index.ts';
import type { DirectoryFiles } from './files.ts';
import { readMarker } from './marker.ts';

/**
 * What was missing and is accepted as lost: `refused` when nothing was missing and no loss would be accepted, `nothing` when
 * one would.
 */
export type AcceptedLoss = 'refused' | 'nothing' | 'log' | 'wal';

/**
 * Looks, before anything is opened, whether everything is there that the last process left. Called with the lock held.
 * @throws LogRefused when something is missing, unless `acceptLoss` permits to open without it.
 */
export function inspectDirectory(files: DirectoryFiles, acceptLoss: boolean, logger: Logger): AcceptedLoss {
  const loss = missingIn(files);
  if (loss === undefined) return acceptLoss ? 'nothing' : 'refused';
  if (!acceptLoss) throw new LogRefused(`${loss.sentence}. ${ADVICE}`);
  logger.warn({}, `${loss.sentence}. The gateway goes on without, as it was told to`);
  if (loss.what === 'log') setAsideWal(files);
  return loss.what;
}

const ADVICE =
  'Put the files back, or a backup of the whole directory. To go on without, start once with --accept-loss: what is missing ' +
  'is then lost for good';

function missingIn(files: DirectoryFiles): { readonly what: 'log' | 'wal'; readonly sentence: string } | undefined {
  const marker = readMarker(files);
  const isUsed = marker !== undefined || exists(files.reserve);
  if (!isUsed) return undefined;
  const size = statSync(files.log, { throwIfNoEntry: false })?.size;
  if (size === undefined || size === 0) {
    const how = size === 0 ? 'is empty' : 'is missing';
    return {
      what: 'log',
      sentence: `${files.log} ${how}, but there was a log in this directory: all its events are gone`,
    };
  }
  if (!marker?.needsWal || exists(files.wal)) return undefined;
  const sentence = `${files.wal} is missing: the last commits of ${files.log} were in it, some of them acknowledged`;
  return { what: 'wal', sentence };
}

/** Renames a write-ahead log without its log: SQLite would delete it, and an operator may still want it. */
function setAsideWal({ wal, shm }: DirectoryFiles): void {
  if (exists(wal)) renameSync(wal, `${wal}.lost-${new Date().toISOString().replaceAll(':', '')}`);
  rmSync(shm, { force: true });
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
