import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LogFailed } from '../../contract.ts';
import { numberIn, textIn } from './columns.ts';
import { migrate, SCHEMA, SCHEMA_VERSION } from './schema.ts';

/** Bytes of a page in a new log: a batch of events is written in a quarter of the calls that the usual 4 KB take. */
const PAGE_BYTES = 16 * 1024;
/** Bytes in the write-ahead log at which the writer itself checkpoints; the reader normally gets there first. */
const INLINE_CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** The write-ahead log is cut back to this size in bytes after a peak. */
const WAL_SIZE_LIMIT = 128 * 1024 * 1024;

/** The file of the log inside a data directory. */
export const databaseFile = (dataDir: string): string => join(dataDir, 'log.db');

/** What the meta table says about a log. */
export interface LogMeta {
  readonly epoch: string;
  /** Secret of the dedupe hashes, hexadecimal. */
  readonly salt: string;
}

/**
 * Opens the log for writing, creating it in an empty directory and bringing an older one up to date at a time in ms.
 * Throws `LogFailed` for anything that is not a log.
 */
export function openForWriting(dataDir: string, now: number): { readonly db: DatabaseSync; readonly meta: LogMeta } {
  const db = new DatabaseSync(databaseFile(dataDir), { timeout: 5000 });
  try {
    const isNew = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables === 0;
    if (isNew) db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
    const version = isNew ? SCHEMA_VERSION : checkedVersion(db, dataDir);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384');
    const checkpointPages = Math.ceil(INLINE_CHECKPOINT_BYTES / pageBytes(db));
    db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA journal_size_limit = ${WAL_SIZE_LIMIT}`);
    if (isNew) create(db, dataDir);
    // Frames whose fsync failed in a former process may look written: nothing may be appended behind them.
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    migrate(db, version, now);
    return { db, meta: { epoch: metaText(db, 'epoch'), salt: metaText(db, 'salt') } };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens the log for reading and checkpointing; it exists already. */
export function openForReading(dataDir: string): DatabaseSync {
  const db = new DatabaseSync(databaseFile(dataDir), { timeout: 5000 });
  db.exec(`PRAGMA query_only = ON; PRAGMA journal_size_limit = ${WAL_SIZE_LIMIT}`);
  return db;
}

/** Bytes of a page of this log; older ones have smaller pages. */
export const pageBytes = (db: DatabaseSync): number =>
  numberIn(db.prepare('PRAGMA page_size').get() ?? {}, 'page_size');

/** The schema version of a log. Throws `LogFailed` for a newer one and for another database. */
function checkedVersion(db: DatabaseSync, dataDir: string): number {
  const known = db.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE name = 'meta'").get()?.tables === 1;
  const row = known ? db.prepare("SELECT value FROM meta WHERE name = 'schema'").get() : undefined;
  if (row === undefined) {
    throw new LogFailed(
      `${databaseFile(dataDir)} is a database but not an event log: choose another dataDir or move the file away`,
    );
  }
  const version = numberIn(row, 'value');
  if (version > SCHEMA_VERSION) {
    throw new LogFailed(
      `the event log in ${dataDir} has schema version ${version}, this version of Magpie knows up to ${SCHEMA_VERSION}: ` +
        'it was written by a newer Magpie. Start that version, or use another dataDir. Nothing has been changed',
    );
  }
  return version;
}

function create(db: DatabaseSync, dataDir: string): void {
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA}`);
  const insert = db.prepare('INSERT INTO meta VALUES (?, ?)');
  insert.run('schema', SCHEMA_VERSION);
  insert.run('epoch', randomBytes(6).toString('hex'));
  insert.run('salt', randomBytes(16).toString('hex'));
  insert.run('next', 1);
  insert.run('total', 0);
  insert.run('lastReceived', 0);
  db.exec('COMMIT');
  for (const directory of [dataDir, dirname(dataDir)]) syncDirectory(directory);
}

/** Makes the creation of files in a directory durable. */
function syncDirectory(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const metaText = (db: DatabaseSync, name: string): string =>
  textIn(db.prepare('SELECT value FROM meta WHERE name = ?').get(name) ?? {}, 'value');
