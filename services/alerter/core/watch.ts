import type { AlerterState, DetectorState, Signal } from '../../../lib/codec/incident-records.ts';
import type { DetectorTable } from './detector-table.ts';
import type { NewAlert } from './incident-book.ts';
import { LatencyTable } from './latency-table.ts';
import type { Rules } from './rules.ts';
import type { Subject } from './subject.ts';

/** One piece of state to be kept: a record of spanloom.alerter-state by key, null when it is gone. */
export type StateChange = readonly [key: string, state: AlerterState | null];

/** The detectors of one signal, with which of them are to be judged, are open, and are to be saved. */
export class Watch<Table extends DetectorTable = DetectorTable> {
  readonly signal: Signal;
  readonly table: Table;
  private readonly rules: Rules;
  private readonly touched = new Set<number>();
  private readonly openRows = new Set<number>();
  private readonly unsaved = new Set<number>();
  private readonly forgotten = new Set<string>();

  constructor(signal: Signal, table: Table, rules: Rules) {
    this.signal = signal;
    this.table = table;
    this.rules = rules;
  }

  get openCount(): number {
    return this.openRows.size;
  }

  add(subject: Subject, window: number, nowMs: number): number {
    const row = this.table.add(subject, window, nowMs);
    this.forgotten.delete(this.table.key(row));
    return row;
  }

  /** Counts were added, or were too late for it. */
  touch(row: number, wasCounted: boolean): void {
    this.unsaved.add(row);
    if (wasCounted) this.touched.add(row);
  }

  /** Detectors that have just fired, by key. */
  fire(nowMs: number): NewAlert[] {
    const { table, signal } = this;
    const fired: { key: string; alert: NewAlert }[] = [];
    for (const row of this.touched) {
      if (table.isOpen(row)) continue;
      const finding = table.evaluate(row);
      if (finding === undefined) continue;
      table.open(row, finding.onset);
      this.openRows.add(row);
      this.unsaved.add(row);
      const { onset, ...found } = finding;
      const { kind, client, server, operation, connectionType } = table.subject(row);
      const subject = { kind, client, server, operation, connectionType };
      const slowerThanMicros = table instanceof LatencyTable ? Math.round(table.slowerThanMicros(row) ?? 0) : 0;
      const times = { firedWindow: table.head(row), firedAt: nowMs, closed: '' } as const;
      const alert = { ...subject, ...found, ...times, signal, slowerThanMicros };
      fired.push({ key: table.key(row), alert: { onset, alert } });
    }
    this.touched.clear();
    // The order of rows differs after a restore; the order of alerts must not.
    return fired.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ alert }) => alert);
  }

  /** Ends the alerts of rows that have calmed down or have no traffic any more. */
  close(nowMs: number, closed: (key: string, how: 'resolved' | 'stale') => void): void {
    const { table } = this;
    for (const row of this.openRows) {
      const calm = this.touched.has(row) && table.hasCalmedDown(row);
      const stale = nowMs - table.lastTouchedAt(row) >= this.rules.staleMs;
      if (!calm && !stale) continue;
      table.close(row);
      this.openRows.delete(row);
      this.unsaved.add(row);
      closed(table.key(row), calm ? 'resolved' : 'stale');
    }
  }

  /** Rows that were closed from outside, because their incident expired. */
  dropExpired(): void {
    for (const row of this.openRows) {
      if (this.table.isOpen(row)) continue;
      this.openRows.delete(row);
      this.unsaved.add(row);
    }
  }

  forgetIdle(nowMs: number, forget: (subject: Subject) => void): void {
    const { table } = this;
    for (const row of [...table.rows()]) {
      if (nowMs - table.lastTouchedAt(row) < this.rules.subjectIdleMs || table.isOpen(row)) continue;
      forget(table.subject(row));
      this.forgotten.add(table.key(row));
      this.unsaved.delete(row);
      this.touched.delete(row);
      table.remove(row);
    }
  }

  /**
   * What changed since the last call, one at a time: all of it at once would be most of the memory.
   * @param complete adds what the table does not know.
   */
  *takeChanges(blank: AlerterState, complete = (state: DetectorState) => state): Generator<StateChange> {
    const { table, forgotten, unsaved } = this;
    for (const key of forgotten) yield [this.stateKey(key), null];
    forgotten.clear();
    for (const row of unsaved) {
      const detector = complete(table.save(row));
      yield [this.stateKey(table.key(row)), { ...blank, kind: 'detector', detector }];
    }
    unsaved.clear();
  }

  /** A row that was restored. What came after the last tick has not been judged; to judge it again changes nothing. */
  restored(row: number): void {
    this.touched.add(row);
    if (this.table.isOpen(row)) this.openRows.add(row);
  }

  private stateKey(key: string): string {
    return `${this.signal === 'errors' ? 'detector' : this.signal}|${key}`;
  }
}
