/** The answers of the console's own API, as services/console/openapi.yaml has them. */

export type Health = 'healthy' | 'degraded' | 'failing' | 'unknown';
export type NodeKind = 'service' | 'database' | 'cache' | 'queue' | 'external';
export type SpanKind = 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Notice {
  readonly code: 'source_down' | 'range_bounded' | 'cut_off' | 'still_reading';
  readonly source?: string;
  readonly message: string;
}

export interface Noticed {
  readonly notices: readonly Notice[];
}

export interface Stats {
  readonly calls: number;
  readonly errors: number;
  readonly errorRatio: number | null;
  readonly callsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly meanMs: number | null;
}

export interface Verdict {
  readonly health: Health;
  readonly because: readonly ('errors' | 'latency' | 'traffic')[];
}

export interface GraphNode {
  readonly name: string;
  readonly kind: NodeKind;
  readonly team: string | null;
  readonly stats: Stats;
  readonly baseline: Stats | null;
  readonly verdict: Verdict;
}

export interface GraphEdge {
  readonly client: string;
  readonly server: string;
  readonly connectionType: string;
  readonly stats: Stats;
  readonly baseline: Stats | null;
  readonly verdict: Verdict;
}

export interface Graph extends Noticed {
  readonly range: Range;
  readonly baseline: Range | null;
  readonly held: Range | null;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface SeriesPoint {
  readonly atMs: number;
  readonly calls: number;
  readonly errors: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly kind: 'failed' | 'slow' | 'normal';
  readonly durationMs: number;
  readonly atMs: number;
}

export interface Series extends Noticed {
  readonly range: Range;
  readonly stepMs: number;
  readonly points: readonly SeriesPoint[];
  readonly total: Stats;
  readonly operations: readonly { readonly operation: string; readonly stats: Stats }[];
  readonly exemplars: readonly Exemplar[];
}

export interface ServiceCount {
  readonly name: string;
  readonly spanCount: number;
  readonly errorCount: number;
}

export interface TraceSummary {
  readonly traceId: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly rootService: string | null;
  readonly rootOperation: string | null;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly orphanCount: number;
  readonly services: readonly ServiceCount[];
  readonly complete: boolean;
  readonly open: boolean;
  readonly source: 'hot' | 'live' | 'archive';
}

export interface Traces extends Noticed {
  readonly range: Range;
  readonly traces: readonly TraceSummary[];
  readonly more: boolean;
}

export interface TypicalTrace {
  readonly trace: TraceSummary | null;
  readonly of: number;
}

export interface Attribute {
  readonly key: string;
  readonly type: 'string' | 'int' | 'double' | 'bool' | 'bytes' | 'array' | 'map' | 'empty';
  readonly value: string;
}

export interface SpanDetail {
  readonly attributes: readonly Attribute[];
  readonly events: readonly {
    readonly name: string;
    readonly offsetNs: number;
    readonly attributes: readonly Attribute[];
  }[];
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: readonly Attribute[];
  }[];
  readonly scope: string;
}

export type SpanWarning = 'orphan' | 'cycle' | 'before_parent' | 'after_parent' | 'negative_duration' | 'duplicate_id';

export interface Span {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** Index of the span that it hangs under, which comes before it; -1: none. */
  readonly parent: number;
  readonly depth: number;
  readonly service: string;
  readonly resource: number;
  readonly operation: string;
  readonly kind: SpanKind;
  readonly offsetNs: number;
  readonly durationNs: number;
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string;
  readonly warnings: readonly SpanWarning[];
  readonly detail?: SpanDetail;
}

export interface Trace extends Noticed {
  readonly traceId: string;
  readonly startMs: number;
  readonly durationNs: number;
  readonly rootService: string | null;
  readonly rootOperation: string | null;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly orphanCount: number;
  readonly services: readonly ServiceCount[];
  readonly complete: boolean;
  readonly open: boolean;
  readonly sources: readonly string[];
  readonly revisions: number;
  readonly details: boolean;
  readonly resources: readonly { readonly service: string; readonly attributes: readonly Attribute[] }[];
  /** Depth first, children by start. */
  readonly spans: readonly Span[];
}

export interface Cause {
  readonly kind: string;
  readonly service: string;
  readonly operation: string;
  readonly caller: string;
  readonly peerKind: string;
  readonly class: string;
  readonly version: string;
  readonly score: number;
  readonly share: number;
}

export interface IncidentSummary {
  readonly incidentId: string;
  readonly seq: number;
  readonly state: 'open' | 'updated' | 'resolved' | 'stale' | 'expired' | 'reopened';
  readonly active: boolean;
  readonly severity: 'critical' | 'major' | 'minor' | 'warning';
  readonly summary: string;
  readonly openedMs: number;
  readonly detectedMs: number;
  readonly updatedMs: number;
  readonly resolvedMs: number | null;
  readonly cause: Cause;
  readonly affectedRequests: number;
  readonly totalRequests: number;
  readonly affectedShare: number;
  readonly services: readonly string[];
  readonly teams: readonly string[];
  readonly acknowledgement: { readonly by: string; readonly atMs: number } | null;
  readonly noteCount: number;
}

export interface Incidents extends Noticed {
  readonly incidents: readonly IncidentSummary[];
  readonly more: boolean;
}

export interface Culprit {
  readonly cause: Cause;
  readonly erroredTraces: number;
  readonly expectedTraces: number;
  readonly masked: number;
  readonly firstSeenMs: number;
}

export interface Alert {
  readonly kind: string;
  readonly client: string;
  readonly server: string;
  readonly operation: string;
  readonly connectionType: string;
  readonly firedMs: number;
  readonly windowSeconds: number;
  readonly score: number;
  readonly calls: number;
  readonly errors: number;
  readonly baselineRate: number;
}

export interface TimelineEntry {
  readonly atMs: number;
  readonly kind: string;
  readonly text: string;
}

export interface AffectedEntry {
  readonly service: string;
  readonly operation: string;
  readonly affected: number;
  readonly total: number;
  readonly share: number;
  readonly masked: number;
}

export interface FailingExample {
  readonly traceId: string;
  readonly originSpanId: string;
  readonly entryService: string;
  readonly entryOperation: string;
}

export interface Incident extends Noticed {
  readonly incident: IncidentSummary;
  readonly firstErrorMs: number;
  readonly lastErrorMs: number | null;
  readonly culprits: readonly Culprit[];
  readonly errorSignatures: readonly { readonly signature: string; readonly traces: number }[];
  readonly entryOperations: readonly AffectedEntry[];
  readonly upstreamServices: readonly string[];
  readonly potentialServices: readonly string[];
  readonly maskedRequests: number;
  readonly path: readonly string[];
  readonly trigger: Alert;
  readonly alerts: readonly Alert[];
  readonly changes: readonly { readonly service: string; readonly version: string; readonly firstSeenMs: number }[];
  readonly timeline: readonly TimelineEntry[];
  readonly failing: readonly FailingExample[];
  readonly healthy: readonly TraceSummary[];
  readonly notes: readonly { readonly by: string; readonly atMs: number; readonly text: string }[];
  readonly mergedInto: string | null;
  readonly dataQuality: {
    readonly incompleteTraces: number;
    readonly orphanSpans: number;
    readonly lateDropped: number;
    readonly failuresDropped: number;
    readonly samplingRatio: number;
  };
  readonly during: Range;
  readonly before: Range;
}

export interface ServerHealth {
  readonly status: 'ok' | 'partial' | 'starting';
  readonly nowMs: number;
  readonly version: string;
  readonly sources: readonly {
    readonly name: string;
    readonly state: 'up' | 'down' | 'off' | 'reading';
    readonly message: string;
  }[];
  readonly hot: {
    readonly traces: number;
    readonly oldestMs: number | null;
    readonly newestMs: number | null;
    readonly lagRecords: number;
  };
  readonly graph: {
    readonly oldestMs: number | null;
    readonly newestMs: number | null;
    readonly edges: number;
    readonly windowMs: number;
  };
  readonly incidents: { readonly active: number; readonly total: number };
}
