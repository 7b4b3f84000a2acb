import type { EvidenceWindow, FailureCount, HealthyTrace, Origin } from '../../../lib/codec/incident-records.ts';
import type { FailingTrace } from '../../../lib/codec/records.ts';
import { boundedName } from './subject.ts';

/** Failing traces of one window that failed in the same way. */
export interface Tally {
  readonly window: number;
  readonly key: string;
  readonly failure: FailureCount;
}

/**
 * The failing traces of the last minutes, counted per window and kind of failure (entry operation, origins, path), so
 * that cause and blast radius can be worked out for any stretch of time. Counts are signed; a correction that comes
 * before what it corrects stands as a negative count until then.
 */
export class EvidenceLog {
  failuresDropped = 0;
  private readonly windows = new Map<number, WindowOfFailures>();
  private readonly changed = new Set<number>();

  add(window: number, entryService: string, entryOperation: string, trace: FailingTrace, nowMs: number): void {
    const failures = this.windowOf(window, nowMs).failures;
    const blank = blankFailure(entryService, entryOperation, trace);
    const key = failureKey(blank);
    let failure = failures.get(key);
    if (failure === undefined) {
      if (failures.size >= KINDS_PER_WINDOW_MAX) {
        this.failuresDropped++;
        return;
      }
      failure = blank;
      failures.set(key, failure);
    }
    addTrace(failure, trace);
    if (failure.count === 0) failures.delete(key);
    this.changed.add(window);
  }

  /** A trace that went well, of an entry that in the same window also has others. */
  addHealthy(window: number, trace: HealthyTrace, nowMs: number): void {
    const { healthy } = this.windowOf(window, nowMs);
    const isKnown = healthy.some(
      (other) => other.entryService === trace.entryService && other.entryOperation === trace.entryOperation,
    );
    if (isKnown || healthy.length >= HEALTHY_PER_WINDOW_MAX) return;
    healthy.push(trace);
    this.changed.add(window);
  }

  /** Signed counts of what is missing from the traces of a window. */
  addIncomplete(window: number, incompleteTraces: number, orphanSpans: number, nowMs: number): void {
    const present = this.windowOf(window, nowMs);
    present.incompleteTraces += incompleteTraces;
    present.orphanSpans += orphanSpans;
    this.changed.add(window);
  }

  /** Traces that went well, newest window first. */
  healthySince(fromWindow: number): HealthyTrace[] {
    const windows = [...this.windows].filter(([window]) => window >= fromWindow).sort(([a], [b]) => b - a);
    return windows.flatMap(([, { healthy }]) => healthy);
  }

  incompleteSince(fromWindow: number): { incompleteTraces: number; orphanSpans: number } {
    let incompleteTraces = 0;
    let orphanSpans = 0;
    for (const [window, present] of this.windows) {
      if (window < fromWindow) continue;
      incompleteTraces += present.incompleteTraces;
      orphanSpans += present.orphanSpans;
    }
    return { incompleteTraces: Math.max(0, incompleteTraces), orphanSpans: Math.max(0, orphanSpans) };
  }

  /** Windows and kinds of failure from `fromWindow` on, oldest window first; only what still counts. */
  since(fromWindow: number): Tally[] {
    const tallies: Tally[] = [];
    for (const window of [...this.windows.keys()].sort((a, b) => a - b)) {
      if (window < fromWindow) continue;
      for (const [key, failure] of (this.windows.get(window) as WindowOfFailures).failures) {
        if (failure.count > 0) tallies.push({ window, key, failure });
      }
    }
    return tallies;
  }

  /** Forgets windows that nothing was added to for so long, and the longest untouched when there are too many. */
  forget(nowMs: number): void {
    for (const [window, { touchedAt }] of this.windows) {
      if (nowMs - touchedAt > KEPT_MS) this.drop(window);
    }
    while (this.windows.size > WINDOWS_MAX) this.drop(this.longestUntouched());
  }

  /** Windows changed since the last call; null for one that is gone. */
  takeChanges(): [window: number, state: EvidenceWindow | null][] {
    const changes = [...this.changed].map((window): [number, EvidenceWindow | null] => {
      const present = this.windows.get(window);
      if (present === undefined) return [window, null];
      return [window, { ...present, window, failures: [...present.failures.values()] }];
    });
    this.changed.clear();
    return changes;
  }

  restore(state: EvidenceWindow): void {
    const { window, failures, ...rest } = state;
    this.windows.set(window, { ...rest, failures: new Map(failures.map((one) => [failureKey(one), one])) });
  }

  private windowOf(window: number, nowMs: number): WindowOfFailures {
    let present = this.windows.get(window);
    if (present === undefined) {
      present = { touchedAt: nowMs, failures: new Map(), incompleteTraces: 0, orphanSpans: 0, healthy: [] };
      this.windows.set(window, present);
      this.changed.add(window);
    }
    present.touchedAt = Math.max(present.touchedAt, nowMs);
    return present;
  }

  private drop(window: number): void {
    this.windows.delete(window);
    this.changed.add(window);
  }

  private longestUntouched(): number {
    let found = Number.POSITIVE_INFINITY;
    let since = Number.POSITIVE_INFINITY;
    for (const [window, { touchedAt }] of this.windows) {
      if (touchedAt < since || (touchedAt === since && window < found)) {
        found = window;
        since = touchedAt;
      }
    }
    return found;
  }
}

/** Identifies a kind of failure: everything but how often, when and which traces. */
export function failureKey(failure: FailureCount): string {
  return JSON.stringify([
    failure.entryService,
    failure.entryOperation,
    failure.userVisible,
    failure.origins.map((o) => [
      o.service,
      o.operation,
      o.caller,
      o.class,
      o.peerKind,
      o.weight,
      o.masked,
      o.version,
      o.signature,
      o.path,
    ]),
    failure.path,
  ]);
}

/** Services that the failure of one origin went through, entry first. */
export function pathOf(failure: FailureCount, origin: Origin): readonly string[] {
  return origin.path.length > 0 ? origin.path : failure.path;
}

/** Adds the count, times and exemplars of `from`, a failure of the same kind. */
export function mergeFailure(into: FailureCount, from: FailureCount): void {
  into.count += from.count;
  into.firstStart = Math.min(into.firstStart, from.firstStart);
  for (const exemplar of from.exemplars) {
    if (into.exemplars.length < EXEMPLARS_PER_KIND) into.exemplars.push(exemplar);
  }
}

interface WindowOfFailures {
  touchedAt: number;
  failures: Map<string, FailureCount>;
  incompleteTraces: number;
  orphanSpans: number;
  healthy: HealthyTrace[];
}

const KEPT_MS = 15 * 60_000;
const WINDOWS_MAX = 128;
const HEALTHY_PER_WINDOW_MAX = 50;
const KINDS_PER_WINDOW_MAX = 500;
const EXEMPLARS_PER_KIND = 3;
const ORIGINS_MAX = 8;
const PATH_LENGTH_MAX = 64;

function blankFailure(entryService: string, entryOperation: string, trace: FailingTrace): FailureCount {
  return {
    entryService,
    entryOperation,
    userVisible: trace.userVisible,
    origins: trace.origins.slice(0, ORIGINS_MAX).map((origin): Origin => {
      const { service, operation, caller, peerKind, weight, masked, version, signature, path } = origin;
      return {
        service: boundedName(service),
        operation: boundedName(operation),
        caller: boundedName(caller),
        class: origin.class,
        peerKind,
        weight,
        masked,
        version: boundedName(version),
        signature: boundedName(signature),
        path: boundedPath(path),
      };
    }),
    path: boundedPath(trace.path),
    count: 0,
    firstStart: trace.startTime,
    exemplars: [],
  };
}

function boundedPath(path: readonly string[]): string[] {
  return path.slice(0, PATH_LENGTH_MAX).map(boundedName);
}

function addTrace(failure: FailureCount, trace: FailingTrace): void {
  failure.count += Math.sign(trace.sign);
  if (trace.sign < 0) {
    failure.exemplars = failure.exemplars.filter(({ traceId }) => traceId !== trace.traceId);
    return;
  }
  failure.firstStart = Math.min(failure.firstStart, trace.startTime);
  if (failure.exemplars.length < EXEMPLARS_PER_KIND) {
    failure.exemplars.push({ traceId: trace.traceId, spanId: trace.origins[0]?.spanId ?? '' });
  }
}
