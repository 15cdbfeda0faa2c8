import type { DatabaseSync } from 'node:sqlite';

/** Version of the tables below. A log with a greater one was written by a newer Magpie and is refused. */
export const SCHEMA_VERSION = 4;

/** Since version 2. `orphaned` is when the consumer was found to be configured no more. */
const CONSUMERS = `
  CREATE TABLE consumers (consumer TEXT PRIMARY KEY, since REAL NOT NULL, orphaned REAL) STRICT, WITHOUT ROWID;
`;

/** Since version 3: finds the dead letters that a consumer could come to again. */
const LETTERS_BY_POSITION = 'CREATE INDEX dead_letters_by_position ON dead_letters (consumer, position);';

/** Since version 4: what connections keep, see `ConnectionStore`. */
const VALUES = `
  CREATE TABLE connection_values (
    connection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (connection, key)) STRICT, WITHOUT ROWID;
`;

/**
 * `total` counts the bytes of all records ever appended up to and including the row, so that sizes are differences.
 * `dedupe` holds packed entries, see `writer/dedupe/pack.ts`.
 */
export const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY, received REAL NOT NULL, total INTEGER NOT NULL, record BLOB NOT NULL) STRICT;
  CREATE TABLE floors (consumer TEXT PRIMARY KEY, floor INTEGER NOT NULL, waiting INTEGER) STRICT, WITHOUT ROWID;
  CREATE TABLE exceptions (
    consumer TEXT NOT NULL, position INTEGER NOT NULL, detail TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (consumer, position)) STRICT;
  CREATE TABLE dead_letters (
    id TEXT PRIMARY KEY, consumer TEXT, reason TEXT NOT NULL, detail TEXT NOT NULL, record BLOB NOT NULL,
    rendered_body BLOB, position INTEGER) STRICT;
  CREATE INDEX dead_letters_by_consumer ON dead_letters (consumer, id);
  ${LETTERS_BY_POSITION}
  CREATE TABLE outcomes (
    ref TEXT NOT NULL, consumer TEXT NOT NULL, at REAL NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (ref, consumer)) STRICT;
  CREATE TABLE dedupe (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, packed BLOB NOT NULL) STRICT;
  ${CONSUMERS}
  ${VALUES}
`;

/** What leads from each version to the next, at a time in ms; the first entry starts at version 1. */
const MIGRATIONS: readonly ((db: DatabaseSync, now: number) => void)[] = [
  (db, now) => {
    db.exec(CONSUMERS);
    // A consumer with a row is known; before version 2 an idle consumer had none, so it counts as new.
    db.prepare(
      `INSERT INTO consumers SELECT consumer, ?, NULL
       FROM (SELECT consumer FROM floors UNION SELECT consumer FROM exceptions)`,
    ).run(now);
  },
  (db) => {
    db.exec('ALTER TABLE floors ADD COLUMN waiting INTEGER');
    db.exec('ALTER TABLE dead_letters ADD COLUMN position INTEGER');
    db.exec(
      `WITH log AS (SELECT value || ':0:' AS prefix FROM meta WHERE name = 'epoch')
       UPDATE dead_letters SET position = CAST(substr(json_extract(detail, '$.position'), length(prefix) + 1) AS INTEGER)
       FROM log WHERE substr(json_extract(detail, '$.position'), 1, length(prefix)) = prefix`,
    );
    db.exec(LETTERS_BY_POSITION);
  },
  (db) => db.exec(VALUES),
];

/** Brings a log from an older version to `SCHEMA_VERSION` in one transaction; it stays as it was when that fails. */
export function migrate(db: DatabaseSync, version: number, now: number): void {
  if (version === SCHEMA_VERSION) return;
  db.exec('BEGIN IMMEDIATE');
  for (const step of MIGRATIONS.slice(version - 1)) step(db, now);
  db.prepare("UPDATE meta SET value = ? WHERE name = 'schema'").run(SCHEMA_VERSION);
  db.exec('COMMIT');
}
