import { integer, param } from '../../core/http/params.ts';
import { goDurationMs } from '../../core/query-apis/go-duration.ts';
import { readJaegerTags } from '../../core/query-apis/jaeger-tags.ts';
import { wholeTraceId } from '../../core/query-apis/trace-ids.ts';

const ID_ALLOWED = '1 to 32 hexadecimal digits, not all zero';

/** Parameters that several of the other query APIs have. */
export const MICROS = integer(0, Number.MAX_SAFE_INTEGER);
export const GO_DURATION = param('a duration such as 1.5s, 100ms or 250us', goDurationMs);
export const JAEGER_TAGS = param('a JSON object of at most 10 texts, e.g. {"http.route":"/orders"}', readJaegerTags);
export const ANY_TRACE_ID = param(ID_ALLOWED, wholeTraceId);
/** In a path, where shapes are regular expressions. */
export const PATH_TRACE_ID = { shape: /^(?!0+$)[0-9a-fA-F]{1,32}$/, allowed: ID_ALLOWED } as const;
/** As Jaeger and Zipkin have it: as much as a page of any of their clients. */
export const LIMIT_MAX = 1500;
export const DAY_MS = 86_400_000;
