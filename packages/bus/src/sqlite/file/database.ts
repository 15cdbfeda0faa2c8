import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LogLocked, LogRefused } from '../../contract/index.ts';
import { type DirectoryFiles, syncDirectory } from '../directory/files.ts';
import type { AcceptedLoss } from '../directory/inspection.ts';
import { readMarker, writeMarker } from '../directory/marker.ts';
import { numberIn, textIn } from './columns.ts';
import { migrate, SCHEMA, SCHEMA_VERSION } from './schema.ts';
import { isBusy } from './sqlite-errors.ts';

/** Bytes of a page in a new log: a batch of events is written in a quarter of the calls that the usual 4 KB take. */
const PAGE_BYTES = 16 * 1024;
/** Bytes in the write-ahead log at which the writer itself checkpoints; the reader normally gets there first. */
const INLINE_CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** The write-ahead log is cut back to this size in bytes after a peak. */
const WAL_SIZE_LIMIT = 128 * 1024 * 1024;

/** What the meta table says about a log. */
export interface LogMeta {
  readonly epoch: string;
  /** Secret of the dedupe hashes, hexadecimal. */
  readonly salt: string;
}

/** How a log is opened for writing. */
export interface OpenForWriting {
  readonly files: DirectoryFiles;
  /** Wall time, ms since the epoch; recorded by a migration. */
  readonly now: number;
  /** Missing files whose loss was accepted: earlier positions then become invalid. */
  readonly accepted: AcceptedLoss;
}

/** A log that is open for writing. */
export interface OpenLog {
  readonly db: DatabaseSync;
  readonly meta: LogMeta;
}

/**
 * Opens the log for writing, creating it in an empty directory and bringing an older one up to date. The write-ahead log
 * is there, and empty. Called by the writer thread, with the directory locked.
 * @throws LogRefused for anything that is not a log, or a newer or another one.
 * @throws LogLocked when another process has the database open although the lock was free.
 */
export function openForWriting(options: OpenForWriting): OpenLog {
  const { files, now } = options;
  const version = mergeAlone(options);
  const db = new DatabaseSync(files.log, { timeout: 5000 });
  try {
    if (version === undefined) db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384');
    const checkpointPages = Math.ceil(INLINE_CHECKPOINT_BYTES / pageBytes(db));
    db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA journal_size_limit = ${WAL_SIZE_LIMIT}`);
    if (version === undefined) create(db);
    else migrate(db, version, now);
    const meta = { epoch: metaText(db, 'epoch'), salt: metaText(db, 'salt') };
    // The marker says that there is a write-ahead log, so that must be on disk first.
    syncDirectory(files.dataDir);
    if (version === undefined) syncDirectory(dirname(files.dataDir));
    return { db, meta };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Merges the write-ahead log into the log, records that in the marker and closes the log. Returns whether everything could be
 * merged; when not, all of it is in the write-ahead log as after a crash. Called by the writer thread when the reader's
 * connection is closed, while the last connection is open.
 */
export function closeMerged({ db, meta }: OpenLog, files: DirectoryFiles): boolean {
  try {
    if (db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy !== 0) return false;
    writeMarker(files, { epoch: meta.epoch, needsWal: false });
    return true;
  } catch {
    return false; // A disk that is full or broken must not keep the log from being closed.
  } finally {
    db.close();
  }
}

/**
 * Merges what the last process left in the write-ahead log, alone with the database: frames whose fsync failed then may look
 * written, and nothing may be appended behind them. Returns the schema version, undefined where there is no log yet.
 *
 * SQLite grants this hold only while no other connection is open, so it also finds a gateway whose `lock.db` was removed.
 */
function mergeAlone({ files, accepted }: OpenForWriting): number | undefined {
  const db = new DatabaseSync(files.log, { timeout: 0 });
  try {
    holdAlone(db, files);
    if (isEmpty(db)) return undefined;
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const marker = readMarker(files);
    if (marker?.needsWal) writeMarker(files, { ...marker, needsWal: false });
    const version = checkedVersion(db, files);
    const isForeign = Boolean(marker?.epoch) && marker?.epoch !== metaText(db, 'epoch');
    if (isForeign && accepted === 'refused') throw new LogRefused(foreignSentence(files));
    if (isForeign || accepted === 'wal') renewEpoch(db);
    return version;
  } finally {
    db.close();
  }
}

function renewEpoch(db: DatabaseSync): void {
  db.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(newEpoch());
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

/** How often and how long, in ms, a database tool may keep the log from being opened. */
const ALONE = { attempts: 20, pauseMs: 100 } as const;

function holdAlone(db: DatabaseSync, { log }: DirectoryFiles): void {
  for (let attempt = 1; ; attempt++) {
    try {
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; SELECT count(*) FROM sqlite_schema');
      return;
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (attempt === ALONE.attempts) throw new LogLocked(openElsewhere(log), { cause: error });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ALONE.pauseMs);
    }
  }
}

const openElsewhere = (log: string): string =>
  `${log} is open in another process, though its lock was free: a gateway whose lock.db was removed, or a database tool. ` +
  'Stop it first';

const foreignSentence = ({ log, marker }: DirectoryFiles): string =>
  `${log} is not the log that was here before (${marker} says which): put that one back, or start once with --accept-loss ` +
  'to go on with this one';

/** Opens the log for reading and checkpointing; it exists already. */
export function openForReading({ log }: DirectoryFiles): DatabaseSync {
  const db = new DatabaseSync(log, { timeout: 5000 });
  db.exec(`PRAGMA query_only = ON; PRAGMA journal_size_limit = ${WAL_SIZE_LIMIT}`);
  return db;
}

/**
 * Opens the connection that outlives the others, and records that the write-ahead log is needed from now on. When the last
 * connection is closed SQLite merges the write-ahead log and removes it: that must not happen while the threads of an ending
 * process are torn down, only after a clean close has recorded it. The main thread's connections are not closed at its end.
 */
export function openLastConnection(files: DirectoryFiles, epoch: string): DatabaseSync {
  const db = new DatabaseSync(files.log, { timeout: 5000 });
  db.exec('PRAGMA query_only = ON');
  isEmpty(db); // The first read takes the shared lock that lasts until the connection is closed.
  writeMarker(files, { epoch, needsWal: true });
  return db;
}

const isEmpty = (db: DatabaseSync): boolean =>
  db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables === 0;

/** Bytes of a page of this log; older ones have smaller pages. */
export const pageBytes = (db: DatabaseSync): number =>
  numberIn(db.prepare('PRAGMA page_size').get() ?? {}, 'page_size');

/** The schema version of a log. Throws `LogRefused` for a newer one and for another database. */
function checkedVersion(db: DatabaseSync, { log, dataDir }: DirectoryFiles): number {
  const known = db.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE name = 'meta'").get()?.tables === 1;
  const row = known ? db.prepare("SELECT value FROM meta WHERE name = 'schema'").get() : undefined;
  if (row === undefined) {
    throw new LogRefused(`${log} is a database but not an event log: choose another dataDir or move the file away`);
  }
  const version = numberIn(row, 'value');
  if (version > SCHEMA_VERSION) {
    throw new LogRefused(
      `the event log in ${dataDir} has schema version ${version}, this version of Magpie knows up to ${SCHEMA_VERSION}: ` +
        'it was written by a newer Magpie. Start that version, or use another dataDir. Nothing has been changed',
    );
  }
  return version;
}

function create(db: DatabaseSync): void {
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA}`);
  const insert = db.prepare('INSERT INTO meta VALUES (?, ?)');
  insert.run('schema', SCHEMA_VERSION);
  insert.run('epoch', newEpoch());
  insert.run('salt', randomBytes(16).toString('hex'));
  insert.run('next', 1);
  insert.run('total', 0);
  insert.run('lastReceived', 0);
  db.exec('COMMIT');
}

const newEpoch = (): string => randomBytes(6).toString('hex');

const metaText = (db: DatabaseSync, name: string): string =>
  textIn(db.prepare('SELECT value FROM meta WHERE name = ?').get(name) ?? {}, 'value');
