/** Columns that every search looks at are small and apart from what few searches read. */
export const HOT_MIGRATIONS = [
  `CREATE TABLE block (
     id INTEGER PRIMARY KEY AUTOINCREMENT, spans INTEGER NOT NULL, bytes INTEGER NOT NULL, appended_ms INTEGER NOT NULL,
     starts BLOB NOT NULL, durations BLOB NOT NULL, failed BLOB NOT NULL, bloom BLOB NOT NULL);
   CREATE TABLE block_index (block INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
   CREATE TABLE block_lines (block INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
   CREATE TABLE chunk (block INTEGER NOT NULL, chunk INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (block, chunk));
   CREATE TABLE position (partition INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL);
   CREATE TABLE operation (
     service TEXT NOT NULL, operation TEXT NOT NULL, kind INTEGER NOT NULL,
     PRIMARY KEY (service, operation, kind)) WITHOUT ROWID`,
] as const;
