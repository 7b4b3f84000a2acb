import { type Notice, SPAN_KINDS } from '../../core/api-types.ts';
import { integer, millis, pattern, type Refusal, refuse, repeated, withDefault } from '../../core/http/params.ts';
import { hasKind, jaegerTagQuery } from '../../core/query-apis/jaeger-tags.ts';
import { jaegerTrace } from '../../core/query-apis/jaeger-trace.ts';
import { wholeTraceId } from '../../core/query-apis/trace-ids.ts';
import { type ConsoleParts, NAME, readRange } from './console-shared.ts';
import {
  ANY_TRACE_ID,
  DAY_MS,
  GO_DURATION,
  JAEGER_TAGS,
  LIMIT_MAX,
  MICROS,
  PATH_TRACE_ID,
} from './query-api-params.ts';
import { type Route, route } from './router.ts';
import { searchWholeTraces, type WholeTraces, wholeTrace } from './whole-traces.ts';

/** Jaeger's classic JSON API: what Grafana's Jaeger data source and Jaeger's older pages ask. */
export function jaegerRoutes({ sources, hot, graph, clock }: ConsoleParts): Route[] {
  const options = { strict: false, refused } as const;
  return [
    route('GET', '/api/services', options, () => ({ json: envelope(hot.operations.serviceNames()) })),

    route('GET', '/api/services/{service}/operations', { ...options, pathParams: SERVICE_PATH }, ({ path }) => {
      const names = hot.operations.list(path['service']).map(([, operation]) => operation);
      return { json: envelope([...new Set(names)]) };
    }),

    route('GET', '/api/operations', { ...options, params: OPERATIONS }, ({ params: { service, spanKind } }) => {
      if (service === undefined) return refuse('service', 'service is needed.');
      const operations = hot.operations.list(service).map(([, name, kind]) => ({ name, spanKind: kindText(kind) }));
      return { json: envelope(operations.filter((of) => spanKind === undefined || of.spanKind === spanKind)) };
    }),

    route('GET', '/api/traces', { ...options, params: SEARCH }, async ({ params }) => {
      if (params.traceID.length > 0) return { json: tracesEnvelope(await byIds(params.traceID)) };
      const { service, operation, start, end, minDuration, maxDuration, limit } = params;
      if (service === undefined) return refuse('service', 'service is needed, or traceID.');
      if ((minDuration ?? 0) > (maxDuration ?? Number.POSITIVE_INFINITY)) {
        return refuse('maxDuration', 'maxDuration must not be below minDuration.');
      }
      const nowMs = clock.wallMs();
      const to = end === undefined ? nowMs : Math.ceil(end / 1000);
      const from = start === undefined ? Math.max(0, to - 2 * DAY_MS) : Math.floor(start / 1000);
      const read = readRange({ from, to }, nowMs, { from: 'start', to: 'end' });
      if (!read.ok) return read;
      const pairs = params.tag.map((tag) => [tag.slice(0, tag.indexOf(':')), tag.slice(tag.indexOf(':') + 1)]);
      const { attributes, failed, kind } = jaegerTagQuery({ ...params.tags, ...Object.fromEntries(pairs) });
      const of = { service, operation };
      const found = await searchWholeTraces(
        sources,
        { ...read.range, ...of, attributes, failed, durationMinMs: minDuration, durationMaxMs: maxDuration, limit },
        kind === undefined ? undefined : ({ view }) => hasKind(view, kind, of),
      );
      return { json: tracesEnvelope(found) };
    }),

    route('GET', '/api/traces/{traceId}', { ...options, pathParams: { traceId: PATH_TRACE_ID } }, async ({ path }) => {
      const found = await byIds([wholeTraceId(path['traceId'] as string) as string]);
      if (found.traces.length > 0) return { json: tracesEnvelope(found) };
      const message = ['trace not found', ...found.notices.map((notice) => notice.message)].join('; ');
      return { refusal: { status: 404, code: 'NOT_FOUND', message } };
    }),

    route('GET', '/api/dependencies', { ...options, params: DEPENDENCIES }, ({ params: { endTs, lookback } }) => {
      const toMs = endTs ?? clock.wallMs();
      const calls = graph.calls({ fromMs: Math.max(0, toMs - lookback), toMs });
      return {
        json: envelope(
          calls.map(({ client, server, calls: callCount }) => ({ parent: client, child: server, callCount })),
        ),
      };
    }),
  ];

  async function byIds(ids: readonly string[]): Promise<WholeTraces> {
    const read = await Promise.all(ids.map((id) => wholeTrace(sources, id)));
    return {
      traces: read.flatMap(({ trace }) => (trace === undefined ? [] : [trace])),
      notices: read.flatMap(({ notices }) => notices),
    };
  }
}

function tracesEnvelope({ traces, notices }: WholeTraces) {
  return envelope(
    traces.map(({ view }) => jaegerTrace(view)),
    notices,
  );
}

/** What is missing of an answer stands in its errors: clients show what there is all the same. */
function envelope(data: readonly unknown[], notices: readonly Notice[] = []) {
  const errors = notices.map(({ message }) => ({ code: PARTIAL, msg: message }));
  return { data, total: data.length, limit: 0, offset: 0, errors: errors.length === 0 ? null : errors };
}

function refused({ status, message }: Refusal) {
  return { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: status, msg: message }] };
}

/** Jaeger has no word for a kind that is not given. */
function kindText(kind: number): string {
  return kind === 0 ? '' : (SPAN_KINDS[kind] ?? '');
}

const SERVICE_PATH = { service: { shape: /^[\s\S]{1,1024}$/, allowed: 'text of 1 to 1024 characters' } } as const;
const OPERATIONS = { service: NAME, spanKind: NAME } as const;
const SEARCH = {
  service: NAME,
  operation: NAME,
  tags: JAEGER_TAGS,
  tag: repeated(pattern(/^[^:]{1,1023}:/, 'key:value of at most 1024 characters')),
  start: MICROS,
  end: MICROS,
  minDuration: GO_DURATION,
  maxDuration: GO_DURATION,
  limit: withDefault(integer(1, LIMIT_MAX), 100),
  traceID: repeated(ANY_TRACE_ID),
} as const;
const DEPENDENCIES = { endTs: millis(), lookback: withDefault(integer(1, 366 * DAY_MS), DAY_MS) } as const;
/** HTTP's "Partial Content". */
const PARTIAL = 206;
