import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Exemplar, ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import type { Range, Series } from '../core/api-types.ts';
import type { SubjectTally } from '../core/graph/graph-view.ts';
import { type Subject, type SubjectKind, subjectKey, subjectsOf } from '../core/graph/subject.ts';
import { histogramText, readHistogram, Tally } from '../core/graph/tally.ts';
import { type Level, levelsOf, type WindowSpan } from '../core/graph/windows.ts';
import { GRAPH_MIGRATIONS } from './graph-schema.ts';
import { openSqlite, transaction } from './sqlite.ts';

export interface GraphStoreLimits {
  readonly retentionMs: number;
  /** Further ones are counted as dropped. */
  readonly subjectsMax: number;
}

/** Counts of edges, services and operations, folded from the deltas of the service-edges topic. */
export class GraphStore {
  readonly levels: readonly Level[];
  private readonly db: DatabaseSync;
  private readonly limits: GraphStoreLimits;
  private readonly statements: Statements;
  private readonly ids = new Map<string, number>();
  private readonly subjects = new Map<number, Subject>();
  private pending = new Map<string, PendingTally>();
  private pendingExemplars: { id: number; atMs: number; exemplar: Exemplar }[] = [];
  private newest: number;

  constructor(file: string, limits: GraphStoreLimits) {
    this.limits = limits;
    this.levels = levelsOf(limits.retentionMs);
    this.db = openSqlite(file, { migrations: GRAPH_MIGRATIONS, cacheBytes: CACHE_BYTES, durability: 'normal' });
    this.statements = prepare(this.db);
    for (const row of this.db.prepare('SELECT * FROM subject').iterate() as Iterable<SubjectRow>) {
      const { id, kind, client, server, connection_type: connectionType, peer_kind: peerKind, operation } = row;
      this.know(id, { kind: KINDS[kind] as SubjectKind, client, server, connectionType, peerKind, operation });
    }
    this.newest = ((this.db.prepare(NEWEST_WINDOW).get() as { w: number }).w + 1) * (this.levels[0] as Level).windowMs;
  }

  /** End of the newest window, epoch milliseconds of event time; 0: nothing yet. */
  get newestMs(): number {
    return this.newest;
  }

  get edgeCount(): number {
    let count = 0;
    for (const { kind } of this.subjects.values()) if (kind === 'edge') count++;
    return count;
  }

  /** It has sent spans of its own. */
  hasService(name: string): boolean {
    for (const { kind, server } of this.subjects.values()) if (kind === 'service' && server === name) return true;
    return false;
  }

  get held(): Range | null {
    const last = this.levels.length - 1;
    const { w } = this.statements.oldest.get(last) as { w: number | null };
    return w === null ? null : { fromMs: w * (this.levels[last] as Level).windowMs, toMs: this.newest };
  }

  position(partition: number): number | undefined {
    return (this.statements.position.get(partition) as { next_offset: number } | undefined)?.next_offset;
  }

  /** @returns false when it was dropped: too many subjects, or a time that cannot be. */
  add(delta: ServiceEdgeDelta, wallMs: number): boolean {
    const atMs = delta.windowStart / 1000;
    if (atMs < 0 || atMs > wallMs + FUTURE_MAX_MS) return false;
    const durations = delta.clientDuration ?? delta.serverDuration;
    let known = true;
    for (const subject of subjectsOf(delta)) {
      const id = this.idOf(subject);
      if (id === undefined) {
        known = false;
        continue;
      }
      for (const [level, { windowMs }] of this.levels.entries()) {
        const w = Math.floor(atMs / windowMs);
        this.tallyOf(level, KINDS.indexOf(subject.kind), w, id).add(delta.calls, delta.errors, durations);
      }
      if (subject.operation === '') {
        for (const exemplar of delta.exemplars) this.pendingExemplars.push({ id, atMs, exemplar });
      }
    }
    this.newest = Math.max(this.newest, atMs + (this.levels[0] as Level).windowMs);
    return known;
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  /** Writes what was added with the positions behind it. @returns the range of the windows that changed. */
  flush(positions: ReadonlyMap<number, number>): Range | undefined {
    const { pending, statements } = this;
    let changed: Range | undefined;
    transaction(this.db, () => {
      for (const { level, kind, w, id, tally } of pending.values()) {
        const key = [level, kind, w, id] as const;
        const before = statements.tally.get(...key) as TallyRow | undefined;
        if (before !== undefined) tally.add(before.calls, before.errors, readHistogram(before.histogram));
        statements.setTally.run(...key, tally.calls, tally.errors, histogramText(tally.histogram));
        if (level > 0) continue;
        const { windowMs } = this.levels[0] as Level;
        changed = {
          fromMs: Math.min(changed?.fromMs ?? Number.POSITIVE_INFINITY, w * windowMs),
          toMs: Math.max(changed?.toMs ?? 0, (w + 1) * windowMs),
        };
      }
      for (const { id, atMs, exemplar } of this.pendingExemplars) {
        const { kind, traceId, spanId, durationMicros } = exemplar;
        statements.addExemplar.run(
          id,
          kind,
          Math.floor(atMs / EXEMPLAR_EVERY_MS),
          traceId,
          spanId,
          durationMicros,
          atMs,
        );
      }
      for (const [partition, next] of positions) statements.setPosition.run(partition, next);
      this.forgetOld();
    });
    this.pending = new Map();
    this.pendingExemplars = [];
    return changed;
  }

  /** Sums over windows, of subjects of these kinds. */
  sum(
    spans: readonly WindowSpan[],
    kinds: readonly SubjectKind[],
    only?: (subject: Subject) => boolean,
  ): SubjectTally[] {
    const sums = new Map<number, SubjectTally>();
    this.visit(spans, kinds, only, (id, subject, row) => {
      let sum = sums.get(id);
      if (sum === undefined) {
        sum = { subject, tally: new Tally() };
        sums.set(id, sum);
      }
      sum.tally.add(row.calls, row.errors, readHistogram(row.histogram));
    });
    return [...sums.values()];
  }

  /** Sums of the subjects that are wanted, for each window. */
  overTime(span: WindowSpan, kinds: readonly SubjectKind[], only: (subject: Subject) => boolean): Map<number, Tally> {
    const byWindow = new Map<number, Tally>();
    this.visit([span], kinds, only, (_id, _subject, row) => {
      const tally = byWindow.get(row.w) ?? new Tally();
      tally.add(row.calls, row.errors, readHistogram(row.histogram));
      byWindow.set(row.w, tally);
    });
    return byWindow;
  }

  /** The newest first. */
  exemplars(range: Range, only: (subject: Subject) => boolean, max: number): Series['exemplars'] {
    const found: Series['exemplars'] = [];
    for (const [id, subject] of this.subjects) {
      if (subject.operation !== '' || !only(subject)) continue;
      const rows = this.statements.exemplars.all(id, range.fromMs, range.toMs, max) as unknown as ExemplarRow[];
      for (const row of rows) {
        const kind = (['failed', 'slow', 'normal'] as const).find((known) => known === row.kind) ?? 'normal';
        const { trace_id: traceId, span_id: spanId, at_ms: atMs } = row;
        found.push({ traceId, spanId, kind, durationMs: row.duration_micros / 1000, atMs });
      }
    }
    return found.sort((a, b) => b.atMs - a.atMs).slice(0, max);
  }

  close(): void {
    this.db.close();
  }

  private visit(
    spans: readonly WindowSpan[],
    kinds: readonly SubjectKind[],
    only: ((subject: Subject) => boolean) | undefined,
    visit: (id: number, subject: Subject, row: TallyRow) => void,
  ): void {
    for (const { level, from, to } of spans) {
      for (const kind of kinds) {
        const rows = this.statements.tallies.iterate(level, KINDS.indexOf(kind), from, to) as Iterable<TallyRow>;
        for (const row of rows) {
          const subject = this.subjects.get(row.subject);
          if (subject !== undefined && only?.(subject) !== false) visit(row.subject, subject, row);
        }
      }
    }
  }

  private tallyOf(level: number, kind: number, w: number, id: number): Tally {
    const key = `${level}/${w}/${id}`;
    const known = this.pending.get(key);
    if (known !== undefined) return known.tally;
    const made: PendingTally = { level, kind, w, id, tally: new Tally() };
    this.pending.set(key, made);
    return made.tally;
  }

  private idOf(subject: Subject): number | undefined {
    const key = subjectKey(subject);
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    if (this.ids.size >= this.limits.subjectsMax) return undefined;
    const { kind, client, server, connectionType, peerKind, operation } = subject;
    const { lastInsertRowid } = this.statements.addSubject.run(
      KINDS.indexOf(kind),
      client,
      server,
      connectionType,
      peerKind,
      operation,
    );
    const id = Number(lastInsertRowid);
    this.know(id, subject);
    return id;
  }

  private know(id: number, subject: Subject): void {
    this.ids.set(subjectKey(subject), id);
    this.subjects.set(id, subject);
  }

  private forgetOld(): void {
    for (const [level, { windowMs, keptMs }] of this.levels.entries()) {
      this.statements.deleteTallies.run(level, Math.floor((this.newest - keptMs) / windowMs));
    }
    this.statements.deleteExemplars.run(Math.floor((this.newest - EXEMPLARS_KEPT_MS) / EXEMPLAR_EVERY_MS));
  }
}

interface PendingTally {
  readonly level: number;
  readonly kind: number;
  readonly w: number;
  readonly id: number;
  readonly tally: Tally;
}

interface TallyRow {
  readonly w: number;
  readonly subject: number;
  readonly calls: number;
  readonly errors: number;
  readonly histogram: string;
}

interface ExemplarRow {
  readonly kind: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly duration_micros: number;
  readonly at_ms: number;
}

interface SubjectRow {
  readonly id: number;
  readonly kind: number;
  readonly client: string;
  readonly server: string;
  readonly connection_type: string;
  readonly peer_kind: string;
  readonly operation: string;
}

type Statements = Record<
  | 'position'
  | 'setPosition'
  | 'addSubject'
  | 'tally'
  | 'setTally'
  | 'tallies'
  | 'oldest'
  | 'deleteTallies'
  | 'addExemplar'
  | 'exemplars'
  | 'deleteExemplars',
  StatementSync
>;

function prepare(db: DatabaseSync): Statements {
  return {
    position: db.prepare('SELECT next_offset FROM position WHERE partition = ?'),
    setPosition: db.prepare('INSERT OR REPLACE INTO position (partition, next_offset) VALUES (?, ?)'),
    addSubject: db.prepare(
      'INSERT INTO subject (kind, client, server, connection_type, peer_kind, operation) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    tally: db.prepare('SELECT * FROM tally WHERE level = ? AND kind = ? AND w = ? AND subject = ?'),
    setTally: db.prepare(
      'INSERT OR REPLACE INTO tally (level, kind, w, subject, calls, errors, histogram) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    tallies: db.prepare('SELECT * FROM tally WHERE level = ? AND kind = ? AND w >= ? AND w < ?'),
    oldest: db.prepare('SELECT min(w) AS w FROM tally WHERE level = ? AND kind = 0'),
    deleteTallies: db.prepare('DELETE FROM tally WHERE level = ? AND kind IN (0, 1, 2, 3) AND w < ?'),
    addExemplar: db.prepare(
      `INSERT OR IGNORE INTO exemplar (subject, kind, w, trace_id, span_id, duration_micros, at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    exemplars: db.prepare(
      'SELECT * FROM exemplar WHERE subject = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms DESC LIMIT ?',
    ),
    deleteExemplars: db.prepare('DELETE FROM exemplar WHERE w < ?'),
  };
}

const KINDS: readonly SubjectKind[] = ['edge', 'service', 'edge_operation', 'entry'];
/** A search for each kind, because the key begins with it; -1 when there is none. */
const NEWEST_WINDOW = `SELECT max(${[0, 1, 3]
  .map((kind) => `coalesce((SELECT max(w) FROM tally WHERE level = 0 AND kind = ${kind}), -1)`)
  .join(', ')}) AS w`;
const CACHE_BYTES = 16 * 1024 * 1024;
/** A clock that is further ahead would end retention for all others. */
const FUTURE_MAX_MS = 3_600_000;
/** One exemplar of each kind of a subject is kept for so much event time. */
const EXEMPLAR_EVERY_MS = 60_000;
const EXEMPLARS_KEPT_MS = 48 * 3_600_000;
