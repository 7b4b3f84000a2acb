import type { AlerterState, DetectorState, Incident } from '../../../lib/codec/incident-records.ts';
import type { ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import { Ownership } from '../../../lib/owners/ownership.ts';
import { blameSlowTrace } from './blame-slow-trace.ts';
import { CallGraph } from './call-graph.ts';
import { DetectorTable } from './detector-table.ts';
import { EvidenceLog } from './evidence-log.ts';
import type { World } from './incident.ts';
import { IncidentBook } from './incident-book.ts';
import { LatencyTable } from './latency-table.ts';
import type { Rules } from './rules.ts';
import { ServiceFacts } from './service-facts.ts';
import { boundedName, keyOf, type Subject, subjectKey } from './subject.ts';
import { type StateChange, Watch } from './watch.ts';

export type { StateChange } from './watch.ts';

/** What became of a delta; all but `applied` are counted losses. */
export type DeltaOutcome = 'applied' | 'late' | 'invalid' | 'subjects_full';

/**
 * All that the alerter decides, without input or output: deltas of service edges in, incidents out. Driven by two
 * clocks that are both given to it: event time in the deltas, and stream time (`tick`) for what must also happen
 * when nothing comes. Equal calls give equal answers, also when its state was saved and restored in between.
 */
export class AlerterCore {
  private readonly rules: Rules;
  private readonly world: World;
  private readonly book: IncidentBook;
  private readonly errors: Watch;
  private readonly latency: Watch<LatencyTable>;
  private streamTimeMs = 0;

  constructor(rules: Rules, ownership = new Ownership()) {
    this.rules = rules;
    this.errors = new Watch('errors', new DetectorTable(rules), rules);
    this.latency = new Watch('latency', new LatencyTable(rules), rules);
    const tables = { detectors: this.errors.table, latency: this.latency.table };
    this.world = {
      rules,
      ...tables,
      graph: new CallGraph(),
      evidence: new EvidenceLog(),
      facts: new ServiceFacts(),
      ownership,
    };
    this.book = new IncidentBook(this.world);
  }

  /** Newest append time or tick so far, epoch milliseconds; 0 before the first. */
  get streamTime(): number {
    return this.streamTimeMs;
  }

  get figures(): { subjects: number; openAlerts: number; activeIncidents: number } {
    return {
      subjects: this.world.detectors.size,
      openAlerts: this.errors.openCount + this.latency.openCount,
      activeIncidents: this.book.active,
    };
  }

  /** @param appendTimeMs when the delta was appended to its topic. */
  apply(delta: ServiceEdgeDelta, appendTimeMs: number): DeltaOutcome {
    if (!isValid(delta)) return 'invalid';
    this.streamTimeMs = Math.max(this.streamTimeMs, appendTimeMs);
    const subject = subjectOf(delta);
    const key = keyOf(subject);
    const window = this.windowOf(delta.windowStart);
    if (delta.subject === 'entry' && delta.confidence === ORPHAN) return this.addRootless(delta, window);
    const row = this.rowFor(this.errors, subject, key, window);
    if (row === undefined) return 'subjects_full';
    const { detectors, evidence, facts } = this.world;
    const counted = detectors.count(row, window, delta.calls, delta.errors, delta.traces, this.streamTimeMs);
    this.errors.touch(row, counted);
    this.countDurations(delta, subject, key, window);
    if (!counted) {
      evidence.failuresDropped += delta.failures.length;
      return 'late';
    }
    if (delta.subject === 'entry') {
      const { server, operation } = subject;
      for (const trace of delta.failures) evidence.add(window, server, operation, trace, this.streamTimeMs);
      if (delta.failures.length > 0) this.keepHealthy(delta, subject, window);
    } else if (delta.subject === 'service') {
      facts.note(subject.server, delta, window);
      const { incompleteTraces, orphanSpans } = delta;
      if (incompleteTraces !== 0 || orphanSpans !== 0) {
        evidence.addIncomplete(window, incompleteTraces, orphanSpans, this.streamTimeMs);
      }
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
   * What changed since the last call, positions aside; to be read to its end, with nothing applied meanwhile. The states
   * share objects with the core: encode each at once.
   */
  *takeChanges(): Generator<StateChange> {
    const { evidence, facts } = this.world;
    const withFacts = (state: DetectorState): DetectorState =>
      state.subject === 'service' ? { ...state, ...facts.save(state.server) } : state;
    yield* this.errors.takeChanges(BLANK, withFacts);
    yield* this.latency.takeChanges(BLANK);
    for (const [window, state] of evidence.takeChanges()) {
      yield [`evidence|${window}`, state === null ? null : { ...BLANK, kind: 'evidence', evidence: state }];
    }
    for (const [localId, state] of this.book.takeChanges()) {
      yield [`incident|${localId}`, state === null ? null : { ...BLANK, kind: 'incident', incident: state }];
    }
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
      if (detector !== null) this.restoreDetector(detector);
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
  }

  /** Failures of traces whose root is missing: who failed is known, which request it was is not. */
  private addRootless(delta: ServiceEdgeDelta, window: number): DeltaOutcome {
    for (const trace of delta.failures) this.world.evidence.add(window, '', '', trace, this.streamTimeMs);
    return 'applied';
  }

  private step(nowMs: number, announcements: Incident[]): void {
    const minuteBegins = Math.floor(nowMs / MINUTE_MS) !== Math.floor(this.streamTimeMs / MINUTE_MS);
    this.streamTimeMs = nowMs;
    if (minuteBegins) {
      this.world.evidence.forget(nowMs);
      this.forgetIdleSubjects(nowMs);
    }
    for (const watch of [this.errors, this.latency]) {
      watch.close(nowMs, (key, how) => this.book.closeAlert(watch.signal, key, how));
    }
    // Errors first: an incident in which requests fail is not one of slow requests.
    for (const fired of [...this.errors.fire(nowMs), ...this.latency.fire(nowMs)]) this.book.gather(fired, nowMs);
    announcements.push(...this.book.review(nowMs));
    this.errors.dropExpired();
    this.latency.dropExpired();
  }

  private forgetIdleSubjects(nowMs: number): void {
    this.errors.forgetIdle(nowMs, ({ kind, client, server }) => {
      if (kind === 'edge') this.world.graph.remove(client, server);
      else if (kind === 'service') this.world.facts.forget(server);
    });
    this.latency.forgetIdle(nowMs, () => {});
  }

  /** How long the calls took, and of an entry whose requests have become slow, where the time went. */
  private countDurations(delta: ServiceEdgeDelta, subject: Subject, key: string, window: number): void {
    // Of a call counts what its caller waited, of anything else how long it was worked on.
    const durations = subject.kind === 'edge' ? (delta.clientDuration ?? delta.serverDuration) : delta.serverDuration;
    if (durations === null) return;
    const row = this.rowFor(this.latency, subject, key, window);
    if (row === undefined) return;
    const { latency, evidence } = this.world;
    const counted = latency.countDurations(row, window, durations, delta.errors, this.streamTimeMs);
    this.latency.touch(row, counted);
    if (!counted || delta.slowTraces.length === 0 || !latency.isSuspicious(row)) return;
    for (const trace of delta.slowTraces) {
      const blamed = blameSlowTrace(subject.server, subject.operation, trace, latency);
      if (blamed !== undefined) evidence.add(window, subject.server, subject.operation, blamed, this.streamTimeMs);
    }
    this.keepHealthy(delta, subject, window);
  }

  /** A trace to compare failing or slow ones with. */
  private keepHealthy({ exemplars }: ServiceEdgeDelta, { server, operation }: Subject, window: number): void {
    const { latency, evidence } = this.world;
    const row = latency.rowOf(subjectKey('entry', '', server, operation));
    const limit = (row === undefined ? undefined : latency.slowerThanMicros(row)) ?? Number.POSITIVE_INFINITY;
    const healthy = exemplars.find(({ kind, durationMicros }) => kind === 'normal' && durationMicros <= limit);
    if (healthy === undefined) return;
    const { traceId, spanId } = healthy;
    const trace = { entryService: server, entryOperation: operation, traceId, spanId };
    evidence.addHealthy(window, trace, this.streamTimeMs);
  }

  private rowFor(watch: Watch, subject: Subject, key: string, window: number): number | undefined {
    const present = watch.table.rowOf(key);
    if (present !== undefined) return present;
    if (watch.table.size >= this.rules.subjectsMax) return undefined;
    const row = watch.add(subject, window, this.streamTimeMs);
    if (watch === this.errors && subject.kind === 'edge') this.world.graph.add(subject.client, subject.server, row);
    return row;
  }

  private restoreDetector(state: DetectorState): void {
    const watch = state.latency === null ? this.errors : this.latency;
    const row = watch.table.restore(state);
    watch.restored(row);
    const { kind, client, server } = watch.table.subject(row);
    if (watch === this.latency) return;
    if (kind === 'edge') this.world.graph.add(client, server, row);
    else if (kind === 'service') this.world.facts.restore(server, { owner: state.owner, versions: state.versions });
  }

  private windowOf(windowStartMicros: number): number {
    const window = Math.floor(windowStartMicros / 1000 / this.rules.windowMs);
    const latest = Math.floor((this.streamTimeMs + this.rules.clockAheadMaxMs) / this.rules.windowMs);
    return window <= latest ? window : Math.floor(this.streamTimeMs / this.rules.windowMs);
  }
}

/** Confidence of an entry that is not one: the trace's root is missing. */
const ORPHAN = 'orphan';
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

function subjectOf(delta: ServiceEdgeDelta): Subject {
  const { subject: kind, connectionType, peerKind } = delta;
  return {
    kind,
    client: kind === 'edge' ? boundedName(delta.client) : '',
    server: boundedName(delta.server),
    operation: kind === 'entry' ? boundedName(delta.serverOperation) : '',
    connectionType,
    peerKind,
  };
}

function isValid({ windowStart, calls, errors, traces }: ServiceEdgeDelta): boolean {
  return windowStart >= 0 && [calls, errors, traces].every((count) => Math.abs(count) <= COUNT_MAX);
}
