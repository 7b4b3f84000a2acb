import type { TraceSummary } from '../../core/api-types.ts';
import { SPAN_KINDS } from '../../core/api-types.ts';
import { searchStore } from '../../core/hot/search-store.ts';
import { decimal, flag, integer, oneOf, refuse, repeated, withDefault } from '../../core/http/params.ts';
import { summariesOf, summaryOfTrace } from '../../core/trace/summaries.ts';
import { spanDetail, traceView } from '../../core/trace/trace-view.ts';
import { ATTRIBUTE, type ConsoleParts, NAME, notFound, RANGE, readRange, SPAN_ID, TRACE_ID } from './console-shared.ts';
import { type Route, route } from './router.ts';

/** Search, single traces and what there is to search for. */
export function traceRoutes(parts: ConsoleParts): Route[] {
  const { sources, hot, clock } = parts;
  return [
    route('GET', '/api/console/operations', { params: { service: NAME, kind: oneOf(...SPAN_KINDS) } }, ({ params }) => {
      const kind = params.kind === undefined ? undefined : SPAN_KINDS.indexOf(params.kind);
      const all = hot.operations.list(params.service, kind);
      const message = `The first ${OPERATIONS_MAX} of ${all.length} operations are shown; ask for one service.`;
      return {
        json: {
          operations: all.slice(0, OPERATIONS_MAX).map(([service, operation, of]) => ({
            service,
            operation,
            kind: SPAN_KINDS[of] ?? 'unspecified',
          })),
          notices: all.length > OPERATIONS_MAX ? [{ code: 'cut_off', source: 'hot', message }] : [],
        },
      };
    }),

    route('GET', '/api/console/traces', { params: SEARCH }, async ({ params }) => {
      const read = readRange(params, clock.wallMs());
      if (!read.ok) return read;
      const { service, operation, attribute, error: failed, durationMinMs, durationMaxMs, limit } = params;
      if ((durationMinMs ?? 0) > (durationMaxMs ?? Number.POSITIVE_INFINITY)) {
        return refuse('durationMinMs', 'durationMinMs must not be above durationMaxMs.');
      }
      const found = await sources.search({
        ...read.range,
        service,
        operation,
        attributes: attribute.map(keyAndValue),
        failed,
        durationMinMs,
        durationMaxMs,
        limit,
      });
      return { json: { range: read.range, ...found } };
    }),

    route(
      'GET',
      '/api/console/traces/{traceId}',
      { params: { details: flag() }, pathParams: { traceId: TRACE_ID } },
      async ({ params, path }) => {
        const { parts: found, notices } = await sources.read(path['traceId'] as string);
        const trace = traceView(path['traceId'] as string, found, detailsMax(params.details));
        if (trace !== undefined) return { json: { ...trace, notices } };
        return notFound(['There is no such trace.', ...notices.map(({ message }) => `${message}.`)].join(' '));
      },
    ),

    route(
      'GET',
      '/api/console/traces/{traceId}/spans/{spanId}',
      { params: { index: integer(0, 10_000_000) }, pathParams: { traceId: TRACE_ID, spanId: SPAN_ID } },
      async ({ params, path }) => {
        const { parts: found } = await sources.read(path['traceId'] as string);
        const detail = spanDetail(found, path['spanId'] as string, params.index);
        return detail === undefined ? notFound('There is no such span.') : { json: detail };
      },
    ),

    route('GET', '/api/console/traces/{traceId}/typical', { pathParams: { traceId: TRACE_ID } }, async ({ path }) => {
      const { parts: found } = await sources.read(path['traceId'] as string);
      const trace = traceView(path['traceId'] as string, found, 0);
      if (trace === undefined) return notFound('There is no such trace.');
      const { rootService: service, rootOperation: operation } = summaryOfTrace(trace);
      if (service === null || operation === null) return { json: { trace: null, of: 0 } };
      const alike = searchStore(hot, { service, operation, failed: false, limit: TYPICAL_OF });
      const candidates = summariesOf(alike.records, 'hot').filter((of) =>
        isAlike(of, service, operation, trace.traceId),
      );
      const byDuration = candidates.sort((a, b) => a.durationMs - b.durationMs);
      return { json: { trace: byDuration[Math.floor(byDuration.length / 2)] ?? null, of: byDuration.length } };
    }),
  ];
}

/** Of traces with more spans, details are left out. */
function detailsMax(asked: boolean | undefined): number {
  if (asked === undefined) return DETAILS_SPANS_USUAL;
  return asked ? DETAILS_SPANS_MAX : 0;
}

function isAlike(of: TraceSummary, service: string, operation: string, not: string): boolean {
  return of.rootService === service && of.rootOperation === operation && of.complete && of.traceId !== not;
}

/** The key ends at the first `=`. */
function keyAndValue(attribute: string): readonly [string, string] {
  const at = attribute.indexOf('=');
  return [attribute.slice(0, at), attribute.slice(at + 1)];
}

const SEARCH = {
  ...RANGE,
  service: NAME,
  operation: NAME,
  attribute: repeated(ATTRIBUTE),
  error: flag(),
  durationMinMs: decimal(),
  durationMaxMs: decimal(),
  limit: withDefault(integer(1, 1000), 50),
} as const;
const OPERATIONS_MAX = 5_000;
/** A waterfall of more spans would wait for what nobody may look at: three quarters of its bytes are details. */
const DETAILS_SPANS_USUAL = 2_000;
/** Details of more spans are asked for one by one: they would be tens of megabytes. */
const DETAILS_SPANS_MAX = 10_000;
const TYPICAL_OF = 200;
