import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';

export interface SqliteOptions {
  /** Statements that bring an empty file to version 1, 2, …: a file of a later version is refused. */
  readonly migrations: readonly string[];
  /** Of the page cache. */
  readonly cacheBytes: number;
  /** full: what was answered is on disk when the power fails. normal: the last moments may be lost, never half written. */
  readonly durability: 'full' | 'normal';
}

/**
 * Opens or makes a database file.
 * @throws SpanloomError CONSOLE_STORE when it is no database, of a later version, or in use by another console.
 */
export function openSqlite(file: string, options: SqliteOptions): DatabaseSync {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const db = new DatabaseSync(file);
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 16384; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${options.durability}; PRAGMA cache_size = -${Math.ceil(options.cacheBytes / 1024)};
      PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;`);
    migrate(db, file, options.migrations);
    return db;
  } catch (cause) {
    if (cause instanceof SpanloomError) throw cause;
    const inUse = cause instanceof Error && /locked|busy/i.test(cause.message);
    const sentence = inUse
      ? `${file} is in use by another console; give each its own CONSOLE_DATA_DIR`
      : `${file} cannot be opened as a database; move it away, and what Kafka still has is read again`;
    throw new SpanloomError('CONSOLE_STORE', sentence, { cause });
  }
}

/** All of `work` or nothing of it. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function migrate(db: DatabaseSync, file: string, migrations: readonly string[]): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > migrations.length) {
    throw new SpanloomError('CONSOLE_STORE', `${file} was written by a later version of Spanloom`);
  }
  for (const [i, statements] of migrations.entries()) {
    if (i < version) continue;
    transaction(db, () => db.exec(`${statements}; PRAGMA user_version = ${i + 1}`));
  }
  // With WAL the lock is only taken with the first write.
  transaction(db, () => db.exec(`PRAGMA user_version = ${migrations.length}`));
}
