import type { BlockQuery } from './search-blocks.ts';
import { type SpanQuery, spanMatcher } from './span-query.ts';
import { TERM } from './term-hash.ts';
import type { TraceRecord } from './trace-record.ts';

export interface TraceQuery extends SpanQuery {
  /** Epoch milliseconds; `toMs` exclusive. */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly durationMinMs?: number | undefined;
  readonly durationMaxMs?: number | undefined;
  readonly failed?: boolean | undefined;
  readonly limit: number;
}

export interface SearchableStore {
  search(query: BlockQuery): Iterable<{ readonly record: TraceRecord; otlp(): Buffer }>;
}

export interface FoundRecords {
  /** Newest start first; the revisions of a trace one after the other. At most `limit` traces. */
  readonly records: readonly TraceRecord[];
  /** There are more. */
  readonly more: boolean;
  /** So many were looked at in vain that the search was given up. */
  readonly gaveUp: boolean;
  /** What of the query this source cannot ask. */
  readonly unanswered?: 'attributes';
  /** It looked no further back, epoch milliseconds. */
  readonly boundedToMs?: number;
}

/** The newest traces that match; terms only tell which may, so each one's spans are looked at. */
export function searchStore(store: SearchableStore, query: TraceQuery): FoundRecords {
  const found = new Map<string, TraceRecord[]>();
  const result = (more: boolean, gaveUp: boolean): FoundRecords => ({
    records: [...found.values()].flat(),
    more,
    gaveUp,
  });
  const matches = needsSpans(query) ? spanMatcher(query) : undefined;
  let inVain = 0;
  for (const { record, otlp } of store.search(blockQuery(query))) {
    if (matches !== undefined && !matches(otlp())) {
      if (++inVain === IN_VAIN_MAX) return result(true, true);
      continue;
    }
    const revisions = found.get(record.traceId);
    if (revisions !== undefined) revisions.push(record);
    else if (found.size === query.limit) return result(true, false);
    else found.set(record.traceId, [record]);
  }
  return result(false, false);
}

function needsSpans({ service, operation, attributes = [] }: TraceQuery): boolean {
  return service !== undefined || operation !== undefined || attributes.length > 0;
}

function blockQuery(query: TraceQuery): BlockQuery {
  const { service, operation, attributes = [] } = query;
  const terms = attributes.map(([key, value]) => TERM.attribute(key, value));
  if (service !== undefined && operation !== undefined) terms.push(TERM.serviceOperation(service, operation));
  else if (service !== undefined) terms.push(TERM.service(service));
  else if (operation !== undefined) terms.push(TERM.operation(operation));
  return {
    from: (query.fromMs ?? Number.NEGATIVE_INFINITY) * 1000,
    to: (query.toMs ?? Number.POSITIVE_INFINITY) * 1000,
    durationMin: (query.durationMinMs ?? 0) * 1000,
    durationMax: (query.durationMaxMs ?? Number.POSITIVE_INFINITY) * 1000,
    failed: query.failed,
    terms,
  };
}

/** Traces that have every term but no span that meets them together. */
const IN_VAIN_MAX = 3_000;
