import type { AlertState, FailureCount, FoldedTotal, Incident, Signal } from '../../../lib/codec/incident-records.ts';
import type { Ownership } from '../../../lib/owners/ownership.ts';
import { isSlowClass } from './blame-slow-trace.ts';
import type { CallGraph } from './call-graph.ts';
import type { DetectorTable } from './detector-table.ts';
import type { EvidenceLog } from './evidence-log.ts';
import type { LatencyTable } from './latency-table.ts';
import type { Rules } from './rules.ts';
import type { ServiceFacts } from './service-facts.ts';
import { subjectKey } from './subject.ts';

/** What incidents are worked out from. */
export interface World {
  readonly rules: Rules;
  /** Of error rates. */
  readonly detectors: DetectorTable;
  readonly latency: LatencyTable;
  readonly graph: CallGraph;
  readonly evidence: EvidenceLog;
  readonly facts: ServiceFacts;
  readonly ownership: Ownership;
}

/**
 * One incident in memory. pending: held so that the alerts of one fault come together; open: announced, with its id
 * fixed; closed: over, kept for a while because it may reopen.
 */
export interface IncidentInMemory {
  readonly localId: number;
  phase: 'pending' | 'open' | 'closed';
  startedAt: number;
  /** Stream time; -1 before the first announcement. */
  announcedAt: number;
  /** What the last announcement said, to tell whether there is news. */
  announcedAs: string;
  /** Stream time; -1 unless closed. */
  closedAt: number;
  /** First window whose failing traces count. */
  scopeFrom: number;
  readonly alerts: AlertState[];
  folded: FoldedEvidence;
  /** As last worked out; what is announced is a copy with the next seq. */
  record: Incident;
  /** Changed since it was last saved. */
  dirty: boolean;
}

/** Sums over windows that are about to be forgotten; only of failures laid to the incident. */
export interface FoldedEvidence {
  /** Windows before this one are folded. */
  through: number;
  failures: Map<string, FailureCount>;
  /** First and last folded window with a hit; -1 when there is none. */
  first: number;
  last: number;
  /** Requests per entry operation (by detector key) up to `last`, and after it. */
  totals: Map<string, Omit<FoldedTotal, 'detectorKey'>>;
}

export function nothingFolded(): FoldedEvidence {
  return { through: -1, failures: new Map(), first: -1, last: -1, totals: new Map() };
}

/** Key of what alerts; its detector is in the table of the signal. */
export function alertKey(alert: Pick<AlertState, 'kind' | 'client' | 'server' | 'operation'>): string {
  return subjectKey(alert.kind, alert.client, alert.server, alert.operation);
}

/** What an incident with these alerts is about: slow requests only when none fail. */
export function signalOf(alerts: readonly AlertState[]): Signal {
  return alerts.every(({ signal }) => signal === 'latency') ? 'latency' : 'errors';
}

/** Does it tell of a slow trace, or of a failing one? */
export function isOfSignal(failure: FailureCount, signal: Signal): boolean {
  return isSlowClass(failure.origins[0]?.class) === (signal === 'latency');
}

/** It makes spans: something was worked on there. */
export function isInstrumented(service: string, { detectors }: World): boolean {
  return detectors.rowOf(subjectKey('service', '', service, '')) !== undefined;
}

export function tableOf(signal: Signal, world: World): DetectorTable {
  return signal === 'latency' ? world.latency : world.detectors;
}
