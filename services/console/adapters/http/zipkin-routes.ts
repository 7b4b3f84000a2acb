import { integer, millis, param, refuse, withDefault } from '../../core/http/params.ts';
import { annotationQuery, hasWords } from '../../core/query-apis/annotation-query.ts';
import { wholeTraceId } from '../../core/query-apis/trace-ids.ts';
import { type ZipkinSpan, zipkinTrace } from '../../core/query-apis/zipkin-trace.ts';
import { type ConsoleParts, NAME, notFound, readRange } from './console-shared.ts';
import { DAY_MS, LIMIT_MAX, PATH_TRACE_ID } from './query-api-params.ts';
import { type Route, route } from './router.ts';
import { searchWholeTraces, type WholeTrace, wholeTrace } from './whole-traces.ts';

/** Zipkin's API v2, the part that reads: what Zipkin's page and Grafana's Zipkin data source ask. */
export function zipkinRoutes({ sources, hot, graph, clock }: ConsoleParts): Route[] {
  const options = { strict: false } as const;
  return [
    route('GET', '/api/v2/services', options, () => ({ json: hot.operations.serviceNames() })),

    route('GET', '/api/v2/spans', { ...options, params: { serviceName: NAME } }, ({ params: { serviceName } }) => {
      if (serviceName === undefined) return refuse('serviceName', 'serviceName is needed.');
      return { json: [...new Set(hot.operations.list(serviceName).map(([, operation]) => operation))] };
    }),

    route('GET', '/api/v2/remoteServices', { ...options, params: { serviceName: NAME } }, ({ params }) => {
      if (params.serviceName === undefined) return refuse('serviceName', 'serviceName is needed.');
      const toMs = clock.wallMs();
      const calls = graph.calls({ fromMs: toMs - DAY_MS, toMs });
      const called = calls.filter(({ client }) => client === params.serviceName).map(({ server }) => server);
      return { json: [...new Set(called)].sort() };
    }),

    route('GET', '/api/v2/traces', { ...options, params: SEARCH }, async ({ params }) => {
      const { serviceName: service, spanName: operation, remoteServiceName, limit, minDuration, maxDuration } = params;
      const toMs = params.endTs ?? clock.wallMs();
      // Zipkin's end is inclusive.
      const range = { from: Math.max(0, toMs - params.lookback), to: toMs + 1 };
      const read = readRange(range, clock.wallMs(), { from: 'lookback', to: 'endTs' });
      if (!read.ok) return read;
      if (maxDuration !== undefined && maxDuration < (minDuration ?? 0)) {
        return refuse('maxDuration', 'maxDuration must not be below minDuration.');
      }
      const { tags = [], words = [] } = params.annotationQuery ?? {};
      const query = {
        ...read.range,
        service,
        operation,
        attributes: tags,
        failed: words.includes('error') ? true : undefined,
        durationMinMs: minDuration === undefined ? undefined : minDuration / 1000,
        durationMaxMs: maxDuration === undefined ? undefined : maxDuration / 1000,
        limit,
      };
      const isPlain = words.length === 0 && remoteServiceName === undefined;
      const keeps = ({ view }: WholeTrace): boolean => {
        const spans = zipkinTrace(view);
        return hasWords(spans, words) && (remoteServiceName === undefined || calls(spans, service, remoteServiceName));
      };
      const { traces } = await searchWholeTraces(sources, query, isPlain ? undefined : keeps);
      return { json: traces.map(({ view }) => zipkinTrace(view)) };
    }),

    route(
      'GET',
      '/api/v2/trace/{traceId}',
      { ...options, pathParams: { traceId: PATH_TRACE_ID } },
      async ({ path }) => {
        const { trace, notices } = await wholeTrace(sources, wholeTraceId(path['traceId'] as string) as string);
        if (trace !== undefined) return { json: zipkinTrace(trace.view) };
        return notFound(['There is no such trace.', ...notices.map(({ message }) => `${message}.`)].join(' '));
      },
    ),

    route('GET', '/api/v2/traceMany', { ...options, params: { traceIds: TRACE_IDS } }, async ({ params }) => {
      if (params.traceIds === undefined) return refuse('traceIds', 'traceIds is needed.');
      const read = await Promise.all(params.traceIds.map((traceId) => wholeTrace(sources, traceId)));
      return { json: read.flatMap(({ trace }) => (trace === undefined ? [] : [zipkinTrace(trace.view)])) };
    }),

    route('GET', '/api/v2/dependencies', { ...options, params: DEPENDENCIES }, ({ params: { endTs, lookback } }) => {
      if (endTs === undefined) return refuse('endTs', 'endTs is needed.');
      const links = graph.calls({ fromMs: Math.max(0, endTs - lookback), toMs: endTs });
      return {
        json: links.map(({ client, server, calls: callCount, errors }) => ({
          parent: client,
          child: server,
          callCount,
          ...(errors > 0 ? { errorCount: errors } : {}),
        })),
      };
    }),

    // Zipkin offers the keys that its settings name, which there are none of here.
    route('GET', '/api/v2/autocompleteKeys', options, () => ({ json: [] })),

    route('GET', '/api/v2/autocompleteValues', { ...options, params: { key: NAME } }, ({ params }) =>
      params.key === undefined ? refuse('key', 'key is needed.') : { json: [] },
    ),
  ];
}

function calls(spans: readonly ZipkinSpan[], service: string | undefined, remote: string): boolean {
  return spans.some(
    ({ localEndpoint, remoteEndpoint }) =>
      remoteEndpoint?.serviceName === remote && (service === undefined || localEndpoint?.serviceName === service),
  );
}

/** Joined by commas; each once. */
function readTraceIds(ids: string): string[] | undefined {
  const read = ids.split(',').map((id) => wholeTraceId(id.trim()));
  if (read.length > TRACES_MAX || new Set(read).size < read.length) return undefined;
  return read.every((id) => id !== undefined) ? read : undefined;
}

const TRACES_MAX = 100;
const TRACE_IDS = param(`at most ${TRACES_MAX} trace ids, joined by commas, each once`, readTraceIds);
const MICROS = integer(1, Number.MAX_SAFE_INTEGER);
const LOOKBACK = withDefault(integer(1, 366 * DAY_MS), DAY_MS);
const SEARCH = {
  serviceName: NAME,
  spanName: NAME,
  remoteServiceName: NAME,
  annotationQuery: param('parts such as http.method=GET or error, joined by " and "', annotationQuery),
  minDuration: MICROS,
  maxDuration: MICROS,
  endTs: millis(),
  lookback: LOOKBACK,
  limit: withDefault(integer(1, LIMIT_MAX), 10),
} as const;
const DEPENDENCIES = { endTs: millis(), lookback: LOOKBACK } as const;
