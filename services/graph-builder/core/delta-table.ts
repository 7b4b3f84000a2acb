import type { Exemplar, FailingTrace, ServiceEdgeDelta, SlowTrace } from '../../../lib/codec/records.ts';
import { DurationHistogram } from '../../../lib/stats/duration-histogram.ts';
import { confidenceOf, connectionTypeOf, PACKED_MAX, peerKindOf, SUBJECT, subjectOf } from './edge-kinds.ts';
import { type NameTable, OPERATIONS_MAX, SERVICES_MAX } from './name-table.ts';
import { ServiceFacts } from './service-facts.ts';

/**
 * What changed since the last commit, summed per subject, operation pair and 10 s of event time.
 *
 * Rows refer to names by number, so the table must be cleared before its NameTable is.
 */
export class DeltaTable {
  rowCount = 0;
  failureCount = 0;
  readonly facts = new ServiceFacts();
  private readonly names: NameTable;
  private readonly windows = new Map<number, Map<number, DeltaRow>>();
  private readonly pairs = new Map<number, Pair>();
  private readonly spareHistograms: DurationHistogram[] = [];
  private lastWindow = Number.NaN;
  private lastRows = new Map<number, DeltaRow>();

  constructor(names: NameTable) {
    this.names = names;
  }

  /**
   * The row of a subject in the window that `startMicros` falls into.
   * @param client,server numbers of operations; for subjects other than edge, `client` is the same as `server`.
   */
  row(startMicros: number, client: number, server: number, packed: number): DeltaRow {
    const window = Math.floor(startMicros / WINDOW_MICROS);
    const rows = window === this.lastWindow ? this.lastRows : this.rowsOf(window);
    const key = (client * OPERATIONS_MAX + server) * PACKED_MAX + packed;
    return rows.get(key) ?? this.addRow(rows, key, window, client, server, packed);
  }

  /** @param micros of one call; the histogram comes from the table so that it can be used again. */
  recordClient(row: DeltaRow, micros: number, sign: number): void {
    row.clientDuration ??= this.histogram();
    row.clientDuration.record(micros, sign);
  }

  recordServer(row: DeltaRow, micros: number, sign: number): void {
    row.serverDuration ??= this.histogram();
    row.serverDuration.record(micros, sign);
  }

  /** @param micros of one call; below zero it counts as nothing: hosts' clocks differ. */
  recordGap(row: DeltaRow, micros: number, sign: number): void {
    row.networkGap ??= this.histogram();
    row.networkGap.record(micros, sign);
  }

  recordQueueDelay(row: DeltaRow, micros: number, sign: number): void {
    row.queueDelay ??= this.histogram();
    row.queueDelay.record(micros, sign);
  }

  /** A failure that takes back one that waits here for the same commit cancels it out. */
  addFailure(row: DeltaRow, failure: FailingTrace): void {
    const text = JSON.stringify({ ...failure, sign: -failure.sign });
    const opposite = row.failures.findIndex(
      (other) => other.sign === -failure.sign && other.traceId === failure.traceId && JSON.stringify(other) === text,
    );
    if (opposite >= 0) {
      row.failures.splice(opposite, 1);
      this.failureCount--;
      return;
    }
    row.failures.push(failure);
    this.failureCount++;
  }

  forEachRow(visit: (row: DeltaRow) => void): void {
    for (const rows of this.windows.values()) for (const row of rows.values()) visit(row);
  }

  /** The records of a commit. Rows in which everything cancelled out are left away. */
  records(): ServiceEdgeDelta[] {
    const records: ServiceEdgeDelta[] = [];
    this.forEachRow((row) => {
      if (row.isVoid()) return;
      const [failures = [], ...further] = chunks(row.failures, FAILURES_PER_RECORD);
      records.push(this.record(row, failures));
      for (const more of further) records.push({ ...this.record(row, more), ...NO_COUNTS });
    });
    return records;
  }

  clear(): void {
    this.forEachRow((row) => {
      for (const histogram of row.histograms()) {
        if (this.spareHistograms.length >= SPARE_HISTOGRAMS_MAX) continue;
        histogram.clear();
        this.spareHistograms.push(histogram);
      }
    });
    this.facts.committed();
    this.windows.clear();
    this.pairs.clear();
    this.lastWindow = Number.NaN;
    this.rowCount = 0;
    this.failureCount = 0;
  }

  private rowsOf(window: number): Map<number, DeltaRow> {
    let rows = this.windows.get(window);
    if (rows === undefined) {
      rows = new Map();
      this.windows.set(window, rows);
    }
    this.lastWindow = window;
    this.lastRows = rows;
    return rows;
  }

  private addRow(
    rows: Map<number, DeltaRow>,
    key: number,
    window: number,
    client: number,
    server: number,
    packed: number,
  ): DeltaRow {
    const services = this.names.serviceOf(client) * SERVICES_MAX + this.names.serviceOf(server);
    const pairKey = services * SUBJECTS_AND_CONNECTIONS + (packed % SUBJECTS_AND_CONNECTIONS);
    let pair = this.pairs.get(pairKey);
    if (pair === undefined) {
      pair = { countedIn: 0 };
      this.pairs.set(pairKey, pair);
    }
    const row = new DeltaRow(window, client, server, packed, pair);
    rows.set(key, row);
    this.rowCount++;
    return row;
  }

  private record(row: DeltaRow, failures: FailingTrace[]): ServiceEdgeDelta {
    const { names } = this;
    const subject = row.packed & 3;
    const isEdge = subject === SUBJECT.edge;
    const server = names.serviceOf(row.server);
    return {
      subject: subjectOf(row.packed),
      windowStart: row.window * WINDOW_MICROS,
      client: isEdge ? names.serviceName(names.serviceOf(row.client)) : '',
      server: names.serviceName(server),
      connectionType: connectionTypeOf(row.packed),
      peerKind: peerKindOf(row.packed),
      clientOperation: isEdge ? names.operationName(row.client) : '',
      serverOperation: names.operationName(row.server),
      confidence: confidenceOf(row.packed),
      calls: row.calls,
      errors: row.errors,
      errors4xx: row.errors4xx,
      traces: row.traces,
      clientDuration: row.clientDuration?.sparse() ?? null,
      serverDuration: row.serverDuration?.sparse() ?? null,
      networkGap: row.networkGap?.sparse() ?? null,
      queueDelay: row.queueDelay?.sparse() ?? null,
      exemplars: row.exemplars(),
      failures,
      slowTraces: row.slowTraces,
      incompleteTraces: row.incompleteTraces,
      orphanSpans: row.orphanSpans,
      ...(subject === SUBJECT.service ? this.facts.of(server) : NO_FACTS),
    };
  }

  private histogram(): DurationHistogram {
    return this.spareHistograms.pop() ?? new DurationHistogram();
  }
}

/** Signed sums of one subject in one window. */
export class DeltaRow {
  readonly window: number;
  readonly client: number;
  readonly server: number;
  readonly packed: number;
  readonly failures: FailingTrace[] = [];
  readonly slowTraces: SlowTrace[] = [];
  calls = 0;
  errors = 0;
  errors4xx = 0;
  traces = 0;
  incompleteTraces = 0;
  orphanSpans = 0;
  clientDuration: DurationHistogram | undefined;
  serverDuration: DurationHistogram | undefined;
  networkGap: DurationHistogram | undefined;
  queueDelay: DurationHistogram | undefined;
  private readonly pair: Pair;
  private normal: Exemplar | undefined;
  private slow: Exemplar | undefined;
  private failed: Exemplar | undefined;

  constructor(window: number, client: number, server: number, packed: number, pair: Pair) {
    this.window = window;
    this.client = client;
    this.server = server;
    this.packed = packed;
    this.pair = pair;
  }

  /**
   * Counts the trace once among all rows of the same client, server and connection type, so that their sum over
   * operations and windows is the number of traces that touch the subject.
   * @param fold number of this pass over a trace, above 0.
   */
  countTrace(fold: number, sign: number): void {
    if (this.pair.countedIn === fold) return;
    this.pair.countedIn = fold;
    this.traces += sign;
  }

  /** True when a call like this would become an exemplar: only then is it worth writing out its ids. */
  wantsExemplar(isFailed: boolean, micros: number): boolean {
    if (isFailed) return this.failed === undefined;
    return this.normal === undefined || micros > (this.slow ?? this.normal).durationMicros;
  }

  /** The first call that failed, the first that did not, and the slowest of these. */
  addExemplar(traceId: string, spanId: string, isFailed: boolean, micros: number): void {
    const durationMicros = Math.round(Math.max(0, Math.min(micros, Number.MAX_SAFE_INTEGER)));
    if (isFailed) this.failed ??= { traceId, spanId, kind: 'failed', durationMicros };
    else if (this.normal === undefined) this.normal = { traceId, spanId, kind: 'normal', durationMicros };
    else this.slow = { traceId, spanId, kind: 'slow', durationMicros };
  }

  /** True when a trace that took so long would be among those kept. */
  wantsSlowTrace(micros: number): boolean {
    return this.slowTraces.length < SLOW_TRACES || micros > this.quickest().durationMicros;
  }

  /** Keeps the slowest. */
  addSlowTrace(trace: SlowTrace): void {
    if (this.slowTraces.length >= SLOW_TRACES) this.slowTraces.splice(this.slowTraces.indexOf(this.quickest()), 1);
    this.slowTraces.push(trace);
  }

  exemplars(): Exemplar[] {
    return [this.failed, this.slow, this.normal].filter((exemplar) => exemplar !== undefined);
  }

  isVoid(): boolean {
    const counts =
      this.calls === 0 &&
      this.errors === 0 &&
      this.errors4xx === 0 &&
      this.traces === 0 &&
      this.orphanSpans === 0 &&
      this.incompleteTraces === 0;
    return counts && this.failures.length === 0 && this.histograms().every((histogram) => histogram.sparse() === null);
  }

  histograms(): DurationHistogram[] {
    const all = [this.clientDuration, this.serverDuration, this.networkGap, this.queueDelay];
    return all.filter((histogram) => histogram !== undefined);
  }

  private quickest(): SlowTrace {
    return this.slowTraces.reduce((least, trace) => (trace.durationMicros < least.durationMicros ? trace : least));
  }
}

/** All rows of one client, server and connection type. */
interface Pair {
  /** Number of the pass that was counted last. */
  countedIn: number;
}

export const WINDOW_MICROS = 10_000_000;
/** Keeps a record far below the broker's limit of 4 MiB, at up to 16 origins a trace. */
const FAILURES_PER_RECORD = 256;
/** Per entry operation, window and commit. */
const SLOW_TRACES = 2;
const SPARE_HISTOGRAMS_MAX = 1024;
/** The lowest four bits of a packed subject are subject and connection type. */
const SUBJECTS_AND_CONNECTIONS = 16;
const NO_FACTS = { versions: [], owner: '' };
const NO_COUNTS = {
  ...{ calls: 0, errors: 0, errors4xx: 0, traces: 0, incompleteTraces: 0, orphanSpans: 0 },
  ...{ clientDuration: null, serverDuration: null, networkGap: null, queueDelay: null, exemplars: [], slowTraces: [] },
};

function chunks<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
}
