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
