import { SPAN_KINDS } from '../../core/api-types.ts';
import { integer, param, type Refusal, refuse, type ValuesOf } from '../../core/http/params.ts';
import { hasKind, jaegerTagQuery } from '../../core/query-apis/jaeger-tags.ts';
import { otlpResourceSpans } from '../../core/query-apis/otlp-result.ts';
import { rfc3339Ms } from '../../core/query-apis/rfc3339.ts';
import { wholeTraceId } from '../../core/query-apis/trace-ids.ts';
import { traceSummary } from '../../core/query-apis/trace-summary.ts';
import { type ConsoleParts, NAME, readRange } from './console-shared.ts';
import { GO_DURATION, JAEGER_TAGS, LIMIT_MAX, PATH_TRACE_ID } from './query-api-params.ts';
import { type Answer, type Route, route } from './router.ts';
import { searchWholeTraces, type WholeTraces, wholeTrace } from './whole-traces.ts';

/** Jaeger's API v3: OTLP/JSON in an envelope. Names in snake case are its older spelling, which Grafana sends. */
export function jaegerV3Routes({ sources, hot, graph, clock }: ConsoleParts): Route[] {
  const options = { strict: false, refused } as const;
  return [
    route('GET', '/api/v3/services', options, () => ({ json: { services: hot.operations.serviceNames() } })),

    route('GET', '/api/v3/operations', { ...options, params: OPERATIONS }, ({ params }) => {
      const { service, spanKind = params.span_kind } = params;
      if (service === undefined) return refuse('service', 'service is needed.');
      const operations = hot.operations.list(service).map(([, name, kind]) => ({ name, spanKind: kindText(kind) }));
      const wanted = operations.filter((of) => spanKind === undefined || of.spanKind === spanKind.toLowerCase());
      return { json: { operations: wanted } };
    }),

    route('GET', '/api/v3/traces', { ...options, params: SEARCH }, ({ params }) =>
      find(params, ({ traces }) => {
        if (traces.length === 0) return { refusal: { status: 404, code: 'NOT_FOUND', message: 'No traces found' } };
        return { json: { result: { resourceSpans: traces.flatMap(({ parts }) => otlpResourceSpans(parts)) } } };
      }),
    ),

    route('GET', '/api/v3/trace-summaries', { ...options, params: SEARCH }, ({ params }) =>
      find(params, ({ traces }) => ({ json: { summaries: traces.map(({ view }) => traceSummary(view)) } })),
    ),

    route(
      'GET',
      '/api/v3/traces/{traceId}',
      { ...options, pathParams: { traceId: PATH_TRACE_ID } },
      async ({ path }) => {
        const { trace, notices } = await wholeTrace(sources, wholeTraceId(path['traceId'] as string) as string);
        if (trace !== undefined) return { json: { result: { resourceSpans: otlpResourceSpans(trace.parts) } } };
        const message = ['trace not found', ...notices.map((notice) => notice.message)].join('; ');
        return { refusal: { status: 404, code: 'NOT_FOUND', message } };
      },
    ),

    route('GET', '/api/v3/dependencies', { ...options, params: DEPENDENCIES }, ({ params }) => {
      const from = params.startTime ?? params.start_time;
      const to = params.endTime ?? params.end_time;
      if (from === undefined || to === undefined) return refuse('startTime', 'startTime and endTime are needed.');
      const read = readRange({ from, to }, clock.wallMs(), { from: 'startTime', to: 'endTime' });
      if (!read.ok) return read;
      const dependencies = graph.calls(read.range).map(({ client, server, calls }) => ({
        parent: client,
        child: server,
        callCount: String(calls),
      }));
      return { json: { dependencies } };
    }),
  ];

  async function find(params: Found, answer: (found: WholeTraces) => Answer): Promise<Answer> {
    const from = params['query.startTimeMin'] ?? params['query.start_time_min'];
    const to = params['query.startTimeMax'] ?? params['query.start_time_max'];
    if (from === undefined || to === undefined) {
      return refuse('query.startTimeMin', 'query.startTimeMin and query.startTimeMax are needed.');
    }
    const read = readRange({ from, to }, clock.wallMs(), { from: 'query.startTimeMin', to: 'query.startTimeMax' });
    if (!read.ok) return read;
    const { attributes, failed, kind } = jaegerTagQuery(params['query.attributes'] ?? {});
    const of = {
      service: params['query.serviceName'] ?? params['query.service_name'],
      operation: params['query.operationName'] ?? params['query.operation_name'],
    };
    const query = {
      ...read.range,
      ...of,
      attributes,
      failed,
      durationMinMs: params['query.durationMin'] ?? params['query.duration_min'],
      durationMaxMs: params['query.durationMax'] ?? params['query.duration_max'],
      limit: params['query.searchDepth'] ?? params['query.search_depth'] ?? params['query.num_traces'] ?? DEPTH_USUAL,
    };
    const keeps = kind === undefined ? undefined : ({ view }: WholeTraces['traces'][number]) => hasKind(view, kind, of);
    return answer(await searchWholeTraces(sources, query, keeps));
  }
}

function refused({ status, message }: Refusal) {
  return { error: { grpcCode: GRPC_CODES[status] ?? GRPC_UNKNOWN, httpCode: status, message } };
}

/** Jaeger shows spans without a kind as internal here. */
function kindText(kind: number): string {
  return kind === 0 ? 'internal' : (SPAN_KINDS[kind] ?? 'internal');
}

const TIME = param('a time such as 2026-01-31T10:20:30.5Z', rfc3339Ms);
const DEPTH = integer(1, LIMIT_MAX);
const OPERATIONS = { service: NAME, spanKind: NAME, span_kind: NAME } as const;
const SEARCH = {
  'query.serviceName': NAME,
  'query.service_name': NAME,
  'query.operationName': NAME,
  'query.operation_name': NAME,
  'query.attributes': JAEGER_TAGS,
  'query.startTimeMin': TIME,
  'query.start_time_min': TIME,
  'query.startTimeMax': TIME,
  'query.start_time_max': TIME,
  'query.durationMin': GO_DURATION,
  'query.duration_min': GO_DURATION,
  'query.durationMax': GO_DURATION,
  'query.duration_max': GO_DURATION,
  'query.searchDepth': DEPTH,
  'query.search_depth': DEPTH,
  'query.num_traces': DEPTH,
  // What we cannot ask must not be passed over as if it were met.
  'query.filter': param('left out: filter expressions are not known here', () => undefined),
} as const;
const DEPENDENCIES = { startTime: TIME, start_time: TIME, endTime: TIME, end_time: TIME } as const;
type Found = ValuesOf<typeof SEARCH>;
const DEPTH_USUAL = 100;
/** https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
const GRPC_CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 503: 14 };
const GRPC_UNKNOWN = 2;
