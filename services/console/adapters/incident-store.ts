import type { DatabaseSync } from 'node:sqlite';
import { type Incident, incidentCodec } from '../../../lib/codec/incident-records.ts';
import { isActive } from '../core/incidents/incident-view.ts';
import { openSqlite, transaction } from './sqlite.ts';

/** Every announcement of every incident, as the topic had them. */
export class IncidentStore {
  private readonly db: DatabaseSync;
  private readonly retentionMs: number;
  private readonly newest = new Map<string, Incident>();

  /** @param retentionMs after its last announcement, unless it is under way. */
  constructor(file: string, retentionMs: number) {
    this.retentionMs = retentionMs;
    this.db = openSqlite(file, { migrations: MIGRATIONS, cacheBytes: 4 * 1024 * 1024, durability: 'normal' });
    const rows = this.db.prepare('SELECT record FROM announcement ORDER BY seq').iterate();
    for (const { record } of rows as Iterable<{ record: Uint8Array }>) this.know(incidentCodec.decode(record));
  }

  /** Of each incident, as it was last announced. */
  get all(): ReadonlyMap<string, Incident> {
    return this.newest;
  }

  position(partition: number): number | undefined {
    const row = this.db.prepare('SELECT next_offset FROM position WHERE partition = ?').get(partition);
    return (row as { next_offset: number } | undefined)?.next_offset;
  }

  /** @returns those that were not known. */
  add(incidents: readonly Incident[], positions: ReadonlyMap<number, number>, nowMs: number): Incident[] {
    return transaction(this.db, () => {
      const insert = this.db.prepare('INSERT OR IGNORE INTO announcement (incident, seq, record) VALUES (?, ?, ?)');
      const fresh = incidents.filter(
        (incident) => insert.run(incident.incidentId, incident.seq, incidentCodec.encode(incident)).changes > 0,
      );
      const setPosition = this.db.prepare('INSERT OR REPLACE INTO position (partition, next_offset) VALUES (?, ?)');
      for (const [partition, next] of positions) setPosition.run(partition, next);
      for (const incident of fresh) this.know(incident);
      this.forgetOld(nowMs);
      return fresh;
    });
  }

  /** By seq. */
  announcements(incidentId: string): Incident[] {
    const rows = this.db.prepare('SELECT record FROM announcement WHERE incident = ? ORDER BY seq').all(incidentId);
    return (rows as unknown as { record: Uint8Array }[]).map(({ record }) => incidentCodec.decode(record));
  }

  close(): void {
    this.db.close();
  }

  private know(incident: Incident): void {
    const before = this.newest.get(incident.incidentId);
    if (before === undefined || before.seq < incident.seq) this.newest.set(incident.incidentId, incident);
  }

  private forgetOld(nowMs: number): void {
    for (const [id, incident] of this.newest) {
      if (isActive(incident) || incident.updatedAt / 1000 > nowMs - this.retentionMs) continue;
      this.db.prepare('DELETE FROM announcement WHERE incident = ?').run(id);
      this.newest.delete(id);
    }
  }
}

const MIGRATIONS = [
  `CREATE TABLE announcement (
     incident TEXT NOT NULL, seq INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (incident, seq));
   CREATE TABLE position (partition INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL)`,
] as const;
