/** The answers of /api/console as openapi.yaml has them, where their meaning stands; a test holds the two together. */
export type SourceName = 'hot' | 'live' | 'archive';
export type PartName = SourceName | 'graph' | 'incidents';
export type SpanKindName = (typeof SPAN_KINDS)[number];
export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

export interface Notice {
  code: 'source_down' | 'range_bounded' | 'cut_off' | 'still_reading';
  source?: PartName;
  message: string;
}

export interface Range {
  fromMs: number;
  toMs: number;
}

export interface ServiceShare {
  name: string;
  spanCount: number;
  errorCount: number;
}

export interface TraceSummary {
  traceId: string;
  startMs: number;
  durationMs: number;
  rootService: string | null;
  rootOperation: string | null;
  spanCount: number;
  errorCount: number;
  orphanCount: number;
  services: ServiceShare[];
  complete: boolean;
  open: boolean;
  source: SourceName;
}

export interface Attribute {
  key: string;
  type: 'string' | 'int' | 'double' | 'bool' | 'bytes' | 'array' | 'map' | 'empty';
  value: string;
}

export interface SpanDetail {
  attributes: Attribute[];
  events: { name: string; offsetNs: number; attributes: Attribute[] }[];
  links: { traceId: string; spanId: string; attributes: Attribute[] }[];
  scope: string;
}

export type SpanWarning = 'orphan' | 'cycle' | 'before_parent' | 'after_parent' | 'negative_duration' | 'duplicate_id';

export interface Span {
  spanId: string;
  parentSpanId: string | null;
  parent: number;
  depth: number;
  service: string;
  resource: number;
  operation: string;
  kind: SpanKindName;
  offsetNs: number;
  durationNs: number;
  status: 'unset' | 'ok' | 'error';
  statusMessage: string;
  warnings: SpanWarning[];
  detail?: SpanDetail;
}

export interface Trace {
  traceId: string;
  startMs: number;
  startNs: string;
  durationNs: number;
  rootService: string | null;
  rootOperation: string | null;
  spanCount: number;
  errorCount: number;
  orphanCount: number;
  services: ServiceShare[];
  complete: boolean;
  open: boolean;
  sources: SourceName[];
  revisions: number;
  details: boolean;
  resources: { service: string; attributes: Attribute[] }[];
  spans: Span[];
  notices: Notice[];
}

export type NodeKind = 'service' | 'database' | 'cache' | 'queue' | 'external';
export type HealthLevel = 'healthy' | 'degraded' | 'failing' | 'unknown';

export interface Stats {
  calls: number;
  errors: number;
  errorRatio: number | null;
  callsPerSecond: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  meanMs: number | null;
}

export interface Verdict {
  health: HealthLevel;
  because: ('errors' | 'latency' | 'traffic')[];
}

interface Compared {
  stats: Stats;
  baseline: Stats | null;
  verdict: Verdict;
}

export interface GraphNode extends Compared {
  name: string;
  kind: NodeKind;
  team: string | null;
}

export interface GraphEdge extends Compared {
  client: string;
  server: string;
  connectionType: string;
}

export interface Graph {
  range: Range;
  baseline: Range | null;
  held: Range | null;
  nodes: GraphNode[];
  edges: GraphEdge[];
  notices: Notice[];
}

export interface SeriesPoint {
  atMs: number;
  calls: number;
  errors: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export interface Series {
  range: Range;
  stepMs: number;
  points: SeriesPoint[];
  total: Stats;
  operations: { operation: string; stats: Stats }[];
  exemplars: {
    traceId: string;
    spanId: string;
    kind: 'failed' | 'slow' | 'normal';
    durationMs: number;
    atMs: number;
  }[];
  notices: Notice[];
}

export interface CauseView {
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

export interface IncidentSummary {
  incidentId: string;
  seq: number;
  state: string;
  active: boolean;
  severity: string;
  summary: string;
  openedMs: number;
  detectedMs: number;
  updatedMs: number;
  resolvedMs: number | null;
  cause: CauseView;
  affectedRequests: number;
  totalRequests: number;
  affectedShare: number;
  services: string[];
  teams: string[];
  acknowledgement: { by: string; atMs: number } | null;
  noteCount: number;
}

export interface AlertView {
  kind: string;
  client: string;
  server: string;
  operation: string;
  connectionType: string;
  firedMs: number;
  windowSeconds: number;
  score: number;
  calls: number;
  errors: number;
  baselineRate: number;
}

export interface TimelineEntry {
  atMs: number;
  kind:
    | 'first_error'
    | 'version'
    | 'opened'
    | 'detected'
    | 'alert'
    | 'announced'
    | 'reopened'
    | 'acknowledged'
    | 'unacknowledged'
    | 'note'
    | 'resolved';
  text: string;
}

export interface IncidentView {
  incident: IncidentSummary;
  firstErrorMs: number;
  lastErrorMs: number | null;
  culprits: { cause: CauseView; erroredTraces: number; expectedTraces: number; masked: number; firstSeenMs: number }[];
  errorSignatures: { signature: string; traces: number }[];
  entryOperations: {
    service: string;
    operation: string;
    affected: number;
    total: number;
    share: number;
    masked: number;
  }[];
  upstreamServices: string[];
  potentialServices: string[];
  maskedRequests: number;
  path: string[];
  trigger: AlertView;
  alerts: AlertView[];
  changes: { service: string; version: string; firstSeenMs: number }[];
  timeline: TimelineEntry[];
  failing: { traceId: string; originSpanId: string; entryService: string; entryOperation: string }[];
  healthy: TraceSummary[];
  notes: { by: string; atMs: number; text: string }[];
  mergedInto: string | null;
  dataQuality: {
    incompleteTraces: number;
    orphanSpans: number;
    lateDropped: number;
    failuresDropped: number;
    samplingRatio: number;
  };
  during: Range;
  before: Range;
  notices: Notice[];
}

export interface Health {
  status: 'ok' | 'partial' | 'starting';
  nowMs: number;
  version: string;
  sources: { name: PartName; state: 'up' | 'down' | 'off' | 'reading'; message: string }[];
  hot: {
    traces: number;
    spans: number;
    bytes: number;
    oldestMs: number | null;
    newestMs: number | null;
    lagRecords: number;
    retentionMs: number;
    bytesMax: number;
  };
  graph: { oldestMs: number | null; newestMs: number | null; edges: number; windowMs: number };
  incidents: { active: number; total: number };
}
