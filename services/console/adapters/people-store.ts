import type { DatabaseSync } from 'node:sqlite';
import type { Act } from '../core/incidents/acts.ts';
import { openSqlite } from './sqlite.ts';

/** What people did. This file is the only copy: it outlives the stores that Kafka can fill again. */
export class PeopleStore {
  private readonly db: DatabaseSync;

  constructor(file: string) {
    this.db = openSqlite(file, { migrations: MIGRATIONS, cacheBytes: 1024 * 1024, durability: 'full' });
  }

  /** It is on disk when this returns. */
  add(incidentId: string, { kind, by, atMs, text }: Act): void {
    this.db
      .prepare('INSERT INTO act (incident, kind, by, at_ms, text) VALUES (?, ?, ?, ?, ?)')
      .run(incidentId, kind, by, atMs, text);
  }

  /** In the order in which they were done. */
  of(incidentId: string): Act[] {
    const rows = this.db
      .prepare('SELECT kind, by, at_ms, text FROM act WHERE incident = ? ORDER BY id')
      .all(incidentId);
    return (rows as unknown as { kind: Act['kind']; by: string; at_ms: number; text: string }[]).map(
      ({ at_ms: atMs, ...act }) => ({ ...act, atMs }),
    );
  }

  close(): void {
    this.db.close();
  }
}

const MIGRATIONS = [
  `CREATE TABLE act (
     id INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL, kind TEXT NOT NULL, by TEXT NOT NULL,
     at_ms INTEGER NOT NULL, text TEXT NOT NULL);
   CREATE INDEX act_of_incident ON act (incident, id)`,
] as const;
