import type { AlerterState, Incident } from '../../../lib/codec/incident-records.ts';
import type { ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import { CallGraph } from './call-graph.ts';
import { DetectorTable } from './detector-table.ts';
import { EvidenceLog } from './evidence-log.ts';
import type { World } from './incident.ts';
import { IncidentBook, type NewAlert } from './incident-book.ts';
import type { Rules } from './rules.ts';
import { boundedName, type Subject, subjectKey } from './subject.ts';

/** What became of a delta; all but `applied` are counted losses. */
export type DeltaOutcome = 'applied' | 'late' | 'invalid' | 'subjects_full';

/** One piece of state to be kept: a record of spanloom.alerter-state by key, null when it is gone. */
export type StateChange = readonly [key: string, state: AlerterState | null];

/**
 * All that the alerter decides, without input or output: deltas of service edges in, incidents out. Driven by two
 * clocks that are both given to it: event time in the deltas, and stream time (`tick`) for what must also happen
 * when nothing comes. Equal calls give equal answers, also when its state was saved and restored in between.
 */
export class AlerterCore {
  private readonly rules: Rules;
  private readonly world: World;
  private readonly book: IncidentBook;
  private readonly touched = new Set<number>();
  private readonly openRows = new Set<number>();
  private readonly unsaved = new Set<number>();
  private readonly forgotten = new Set<string>();
  private streamTimeMs = 0;

  constructor(rules: Rules) {
    this.rules = rules;
    const detectors = new DetectorTable(rules);
    this.world = { rules, detectors, graph: new CallGraph(), evidence: new EvidenceLog() };
    this.book = new IncidentBook(this.world);
  }

  /** Newest append time or tick so far, epoch milliseconds; 0 before the first. */
  get streamTime(): number {
    return this.streamTimeMs;
  }

  get figures(): { subjects: number; openAlerts: number; activeIncidents: number } {
    return {
      subjects: this.world.detectors.size,
      openAlerts: this.openRows.size,
      activeIncidents: this.book.active,
    };
  }

  /** @param appendTimeMs when the delta was appended to its topic. */
  apply(delta: ServiceEdgeDelta, appendTimeMs: number): DeltaOutcome {
    if (!isValid(delta)) return 'invalid';
    this.streamTimeMs = Math.max(this.streamTimeMs, appendTimeMs);
    const window = this.windowOf(delta.windowStart);
    const row = this.rowFor(delta, window);
    if (row === undefined) return 'subjects_full';
    const { detectors, evidence } = this.world;
    const counted = detectors.count(row, window, delta.calls, delta.errors, delta.traces, this.streamTimeMs);
    this.unsaved.add(row);
    if (!counted) {
      evidence.failuresDropped += delta.failures.length;
      return 'late';
    }
    this.touched.add(row);
    if (delta.subject === 'entry') {
      const { server, operation } = detectors.subject(row);
      for (const trace of delta.failures) evidence.add(window, server, operation, trace, this.streamTimeMs);
    }
    return 'applied';
  }

  /**
   * Judges what has come and moves on to `nowMs` of stream time. Call it about once a second of stream time; after a
   * longer gap it takes the steps in between while an incident is active, so that each ends when it would have ended.
   */
  tick(nowMs: number): Incident[] {
    const announcements: Incident[] = [];
    let reached = this.streamTimeMs;
    while (this.book.active > 0 && reached + STEP_MS < nowMs) {
      reached += STEP_MS;
      this.step(reached, announcements);
    }
    this.step(Math.max(nowMs, this.streamTimeMs), announcements);
    return announcements;
  }

  /**
   * What changed since the last call, positions aside. The states share objects with the core: encode them before
   * anything else is applied.
   */
  takeChanges(): StateChange[] {
    const { detectors, evidence } = this.world;
    const changes: StateChange[] = [...this.forgotten].map((key): StateChange => [detectorStateKey(key), null]);
    for (const row of this.unsaved) {
      changes.push([
        detectorStateKey(detectors.key(row)),
        { ...BLANK, kind: 'detector', detector: detectors.save(row) },
      ]);
    }
    for (const [window, state] of evidence.takeChanges()) {
      changes.push([`evidence|${window}`, state === null ? null : { ...BLANK, kind: 'evidence', evidence: state }]);
    }
    for (const [localId, state] of this.book.takeChanges()) {
      changes.push([`incident|${localId}`, state === null ? null : { ...BLANK, kind: 'incident', incident: state }]);
    }
    this.forgotten.clear();
    this.unsaved.clear();
    return changes;
  }

  /** The record that goes with the changes: where reading goes on, and the counters. */
  positions(nextOffsets: readonly number[]): AlerterState {
    return {
      ...BLANK,
      kind: 'positions',
      positions: {
        nextOffsets: [...nextOffsets],
        streamTime: this.streamTimeMs,
        nextLocalId: this.book.nextLocalId,
        lateDropped: this.world.detectors.lateDropped,
        failuresDropped: this.world.evidence.failuresDropped,
      },
    };
  }

  /** Takes over what an earlier incarnation saved. Only for a fresh core. */
  restore(states: Iterable<AlerterState>): void {
    const incidents = [];
    for (const { positions, detector, evidence, incident } of states) {
      if (detector !== null) this.track(this.world.detectors.restore(detector));
      if (evidence !== null) this.world.evidence.restore(evidence);
      if (incident !== null) incidents.push(incident);
      if (positions !== null) {
        this.streamTimeMs = positions.streamTime;
        this.book.nextLocalId = positions.nextLocalId;
        this.world.detectors.lateDropped = positions.lateDropped;
        this.world.evidence.failuresDropped = positions.failuresDropped;
      }
    }
    this.book.restore(incidents);
    // What came after the last tick has not been judged yet; to judge the others again changes nothing.
    for (const row of this.world.detectors.rows()) this.touched.add(row);
  }

  private step(nowMs: number, announcements: Incident[]): void {
    const minuteBegins = Math.floor(nowMs / MINUTE_MS) !== Math.floor(this.streamTimeMs / MINUTE_MS);
    this.streamTimeMs = nowMs;
    if (minuteBegins) {
      this.world.evidence.forget(nowMs);
      this.forgetIdleSubjects(nowMs);
    }
    this.closeCalmAlerts(nowMs);
    for (const fired of this.newAlerts(nowMs)) this.book.gather(fired, nowMs);
    this.touched.clear();
    announcements.push(...this.book.review(nowMs));
    for (const row of this.openRows) {
      if (this.world.detectors.isOpen(row)) continue;
      // Its incident expired.
      this.openRows.delete(row);
      this.unsaved.add(row);
    }
  }

  private newAlerts(nowMs: number): NewAlert[] {
    const { detectors } = this.world;
    const fired: { key: string; alert: NewAlert }[] = [];
    for (const row of this.touched) {
      if (detectors.isOpen(row)) continue;
      const finding = detectors.evaluate(row);
      if (finding === undefined) continue;
      detectors.open(row, finding.onset);
      this.openRows.add(row);
      this.unsaved.add(row);
      const { onset, ...found } = finding;
      const { kind, client, server, operation, connectionType } = detectors.subject(row);
      const subject = { kind, client, server, operation, connectionType };
      const firedWindow = detectors.head(row);
      fired.push({
        key: detectors.key(row),
        alert: { onset, alert: { ...subject, ...found, firedWindow, firedAt: nowMs, closed: '' } },
      });
    }
    // The order of rows differs after a restore; the order of alerts must not.
    return fired.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ alert }) => alert);
  }

  private closeCalmAlerts(nowMs: number): void {
    const { detectors } = this.world;
    for (const row of this.openRows) {
      const calm = this.touched.has(row) && detectors.hasCalmedDown(row);
      const stale = nowMs - detectors.lastTouchedAt(row) >= this.rules.staleMs;
      if (!calm && !stale) continue;
      detectors.close(row);
      this.openRows.delete(row);
      this.unsaved.add(row);
      this.book.closeAlert(detectors.key(row), calm ? 'resolved' : 'stale');
    }
  }

  private forgetIdleSubjects(nowMs: number): void {
    const { detectors, graph } = this.world;
    for (const row of [...detectors.rows()]) {
      if (nowMs - detectors.lastTouchedAt(row) < this.rules.subjectIdleMs || detectors.isOpen(row)) continue;
      const { kind, client, server } = detectors.subject(row);
      if (kind === 'edge') graph.remove(client, server);
      this.forgotten.add(detectors.key(row));
      this.unsaved.delete(row);
      this.touched.delete(row);
      detectors.remove(row);
    }
  }

  private rowFor(delta: ServiceEdgeDelta, window: number): number | undefined {
    const { detectors } = this.world;
    const kind = delta.subject;
    const client = kind === 'edge' ? boundedName(delta.client) : '';
    const server = boundedName(delta.server);
    const operation = kind === 'entry' ? boundedName(delta.serverOperation) : '';
    const key = subjectKey(kind, client, server, operation);
    const present = detectors.rowOf(key);
    if (present !== undefined) return present;
    if (detectors.size >= this.rules.subjectsMax) return undefined;
    const { connectionType, peerKind } = delta;
    const subject: Subject = { kind, client, server, operation, connectionType, peerKind };
    const row = detectors.add(subject, window, this.streamTimeMs);
    this.forgotten.delete(key);
    return this.track(row);
  }

  private track(row: number): number {
    const { kind, client, server } = this.world.detectors.subject(row);
    if (kind === 'edge') this.world.graph.add(client, server, row);
    if (this.world.detectors.isOpen(row)) this.openRows.add(row);
    return row;
  }

  private windowOf(windowStartMicros: number): number {
    const window = Math.floor(windowStartMicros / 1000 / this.rules.windowMs);
    const latest = Math.floor((this.streamTimeMs + this.rules.clockAheadMaxMs) / this.rules.windowMs);
    return window <= latest ? window : Math.floor(this.streamTimeMs / this.rules.windowMs);
  }
}

const STEP_MS = 1_000;
const MINUTE_MS = 60_000;
/** Above this a count of 10 s is a fault of its producer. */
const COUNT_MAX = 2 ** 31 - 1;
const BLANK: AlerterState = {
  kind: 'claim',
  nonce: '',
  positions: null,
  detector: null,
  evidence: null,
  incident: null,
};

function detectorStateKey(key: string): string {
  return `detector|${key}`;
}

function isValid({ windowStart, calls, errors, traces }: ServiceEdgeDelta): boolean {
  return windowStart >= 0 && [calls, errors, traces].every((count) => Math.abs(count) <= COUNT_MAX);
}
