export const GRAPH_MIGRATIONS = [
  `CREATE TABLE subject (
     id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, client TEXT NOT NULL, server TEXT NOT NULL,
     connection_type TEXT NOT NULL, peer_kind TEXT NOT NULL, operation TEXT NOT NULL);
   CREATE TABLE tally (
     level INTEGER NOT NULL, kind INTEGER NOT NULL, w INTEGER NOT NULL, subject INTEGER NOT NULL,
     calls INTEGER NOT NULL, errors INTEGER NOT NULL, histogram TEXT NOT NULL,
     PRIMARY KEY (level, kind, w, subject)) WITHOUT ROWID;
   CREATE TABLE exemplar (
     subject INTEGER NOT NULL, kind TEXT NOT NULL, w INTEGER NOT NULL, trace_id TEXT NOT NULL, span_id TEXT NOT NULL,
     duration_micros INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (subject, kind, w)) WITHOUT ROWID;
   CREATE TABLE position (partition INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL)`,
] as const;
