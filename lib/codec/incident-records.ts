/**
 * The TypeScript face of schemas/incident.avsc and schemas/alerter-state.avsc; a field's meaning stands in its schema.
 * Fields named …At of an Incident are epoch microseconds, those of AlerterState epoch milliseconds of stream time.
 */
import { avroCodec } from './avro.ts';

export type SubjectKind = 'edge' | 'service' | 'entry';
export type IncidentStateName = 'open' | 'updated' | 'resolved' | 'stale' | 'expired' | 'reopened';
/** What rose: the rate of calls that failed, or of calls that took too long. */
export type Signal = 'errors' | 'latency';
export type Severity = 'critical' | 'major' | 'minor' | 'warning';

export interface DetectorFinding {
  name: string;
  version: string;
  windowSeconds: number;
  threshold: number;
  score: number;
  dispersion: number;
  calls: number;
  errors: number;
  rate: number;
  baselineRate: number;
  baselineCalls: number;
  falseAlertsPerDay: number;
  signal: Signal;
  slowerThanMicros: number;
}

export interface Alert {
  kind: SubjectKind;
  client: string;
  server: string;
  operation: string;
  connectionType: string;
  firedAt: number;
  windowSeconds: number;
  score: number;
  calls: number;
  errors: number;
  baselineRate: number;
  signal: Signal;
  slowerThanMicros: number;
}

export interface Cause {
  kind: string;
  service: string;
  operation: string;
  caller: string;
  peerKind: string;
  class: string;
  version: string;
  score: number;
  share: number;
}

export interface Culprit extends Cause {
  erroredTraces: number;
  expectedTraces: number;
  masked: number;
  firstSeen: number;
}

export interface ErrorSignature {
  signature: string;
  traces: number;
}

export interface AffectedEntry {
  service: string;
  operation: string;
  affected: number;
  total: number;
  share: number;
  masked: number;
}

export interface BlastRadius {
  entryOperations: AffectedEntry[];
  upstreamServices: string[];
  affectedRequests: number;
  totalRequests: number;
  affectedShare: number;
  maskedRequests: number;
  potentialServices: string[];
}

export interface IncidentExemplar {
  traceId: string;
  originSpanId: string;
  entryService: string;
  entryOperation: string;
  archivedUrl: string;
}

export interface VersionChange {
  service: string;
  version: string;
  firstSeen: number;
}

export interface DataQuality {
  incompleteTraces: number;
  orphanSpans: number;
  lateDropped: number;
  failuresDropped: number;
  samplingRatio: number;
}

export interface Incident {
  incidentId: string;
  seq: number;
  state: IncidentStateName;
  severity: Severity;
  summary: string;
  openedAt: number;
  detectedAt: number;
  updatedAt: number;
  resolvedAt: number | null;
  firstErrorAt: number;
  lastErrorAt: number | null;
  detector: DetectorFinding;
  trigger: Alert;
  alerts: Alert[];
  cause: Cause;
  culprits: Culprit[];
  errorSignatures: ErrorSignature[];
  blast: BlastRadius;
  propagationPath: string[];
  exemplars: IncidentExemplar[];
  changes: VersionChange[];
  dataQuality: DataQuality;
  flaps: number;
  mergedInto: string;
  ackBy: string;
  note: string;
  kind: Signal;
  worstSeverity: Severity | '';
  ownerTeam: string;
  hitTeams: string[];
  healthyExemplars: IncidentExemplar[];
}

export interface InputPositions {
  nextOffsets: number[];
  streamTime: number;
  nextLocalId: number;
  lateDropped: number;
  failuresDropped: number;
}

export interface DetectorState {
  subject: SubjectKind;
  client: string;
  server: string;
  operation: string;
  connectionType: string;
  peerKind: string;
  head: number;
  calls: number[];
  errors: number[];
  traces: number[];
  held: number[];
  baselineCalls: number;
  baselineErrors: number;
  dispersionSum: number;
  dispersionWeight: number;
  touchedAt: number;
  open: boolean;
  calmSince: number;
  latency: LatencyState | null;
  owner: string;
  versions: SeenVersion[];
}

export interface SeenVersion {
  version: string;
  firstSeen: number;
  lastSeen: number;
}

export interface LatencyState {
  threshold: number;
  chooseAt: number;
  bornAt: number;
  decayedAt: number;
  firstBucket: number;
  durations: number[];
}

export interface Origin {
  service: string;
  operation: string;
  caller: string;
  class: string;
  peerKind: string;
  weight: number;
  masked: boolean;
  version: string;
  signature: string;
  path: string[];
}

export interface FailureCount {
  entryService: string;
  entryOperation: string;
  userVisible: boolean;
  origins: Origin[];
  path: string[];
  count: number;
  firstStart: number;
  exemplars: { traceId: string; spanId: string }[];
}

export interface EvidenceWindow {
  window: number;
  touchedAt: number;
  failures: FailureCount[];
  incompleteTraces: number;
  orphanSpans: number;
  healthy: HealthyTrace[];
}

export interface HealthyTrace {
  entryService: string;
  entryOperation: string;
  traceId: string;
  spanId: string;
}

export interface AlertState {
  kind: SubjectKind;
  client: string;
  server: string;
  operation: string;
  connectionType: string;
  firedWindow: number;
  firedAt: number;
  windowSeconds: number;
  score: number;
  dispersion: number;
  calls: number;
  errors: number;
  baselineRate: number;
  baselineCalls: number;
  closed: '' | 'resolved' | 'stale';
  signal: Signal;
  slowerThanMicros: number;
}

export interface FoldedTotal {
  detectorKey: string;
  settled: number;
  trailing: number;
  settledSlow: number;
  trailingSlow: number;
}

export interface IncidentState {
  localId: number;
  phase: 'pending' | 'open' | 'closed';
  startedAt: number;
  announcedAt: number;
  announcedAs: string;
  closedAt: number;
  scopeFrom: number;
  alerts: AlertState[];
  foldedThrough: number;
  folded: FailureCount[];
  foldedFirst: number;
  foldedLast: number;
  foldedTotals: FoldedTotal[];
  record: Buffer;
}

export interface AlerterState {
  kind: 'claim' | 'positions' | 'detector' | 'evidence' | 'incident';
  nonce: string;
  positions: InputPositions | null;
  detector: DetectorState | null;
  evidence: EvidenceWindow | null;
  incident: IncidentState | null;
}

export const incidentCodec = avroCodec<Incident>('incident');
export const alerterStateCodec = avroCodec<AlerterState>('alerter-state');
