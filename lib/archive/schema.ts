import type { Dataset } from './object-keys.ts';
import { PROMOTED_OF_RESOURCES, PROMOTED_OF_SPANS, type Promoted } from './promoted.ts';

/** `timestamp` is microseconds in UTC. */
export type ColumnType = 'text' | 'int32' | 'int64' | 'bool' | 'timestamp';

export interface ArchiveColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** What it says, in which unit, and when it is null. */
  readonly description: string;
}

/** The columns of both datasets in the order of the objects; docs/archive.md and all table definitions are made from it. */
export const ARCHIVE_SCHEMA: Readonly<Record<Dataset, readonly ArchiveColumn[]>> = {
  spans: [
    ...columns({
      trace_id: ['text', '32 hexadecimal digits, lower case'],
      span_id: ['text', '16 hexadecimal digits'],
      parent_span_id: ['text', 'null for a root span'],
      service: ['text', '`service.name` of the resource, `unknown_service` without one'],
      operation: ['text', 'the name of the span'],
      kind: ['text', '`unspecified`, `internal`, `server`, `client`, `producer` or `consumer`'],
      start_time: ['timestamp', 'start, cut to microseconds'],
      start_ns: ['int64', 'start, nanoseconds since 1970'],
      duration_ns: ['int64', 'end − start, nanoseconds'],
      status_code: ['text', '`unset`, `ok` or `error`'],
      status_message: ['text', 'null when there is none'],
      root_service: ['text', "service of the trace's root span; null when the root never came"],
      root_operation: ['text', 'name of the root span; null likewise'],
      trace_start: ['timestamp', 'the earliest start of the trace; its hour is the partition'],
      trace_duration_ns: ['int64', 'first start to last end of the trace, nanoseconds'],
      trace_span_count: ['int32', 'spans of the trace record'],
      trace_error: ['bool', 'whether any span of the trace failed'],
      trace_complete: ['bool', 'whether root and all parents were there when the trace was closed'],
      trace_revision: ['int32', '1, and higher for spans that came after the trace had been closed'],
      close_reason: ['text', 'why the trace was closed: `idle`, `age`, `size`, `late`, `drain`'],
      scope_name: ['text', 'instrumentation scope; null without one'],
      scope_version: ['text', 'its version; null without one'],
      attributes: ['text', 'span attributes without a column of their own, a JSON object'],
      resource_attributes: ['text', 'resource attributes without a column of their own, a JSON object'],
      events: ['text', 'JSON list of `{"time_ns","name","attributes"}`; null when there are none'],
      links: ['text', 'JSON list of `{"trace_id","span_id","attributes"}`; null when there are none'],
    }),
    ...promoted(PROMOTED_OF_SPANS, 'span'),
    ...promoted(PROMOTED_OF_RESOURCES, 'resource'),
  ],
  traces: columns({
    trace_id: ['text', '32 hexadecimal digits, lower case'],
    revision: ['int32', '1, and higher for spans that came after the trace had been closed'],
    start_time: ['timestamp', 'the earliest start of the record'],
    duration_ns: ['int64', 'first start to last end, nanoseconds'],
    root_service: ['text', 'null when the root is not in this record'],
    root_operation: ['text', 'null likewise'],
    span_count: ['int32', 'spans of this record: a later revision holds the late ones only'],
    error_count: ['int32', 'failed spans of this record'],
    duplicate_count: ['int32', 'spans that came more than once and were taken once'],
    complete: ['bool', 'whether root and all parents were there'],
    incomplete_reasons: [
      'text',
      '`no_root`, `orphans`, `several_roots`, `context_lost`, comma-separated; null when complete',
    ],
    close_reason: ['text', 'why the trace was closed: `idle`, `age`, `size`, `late`, `drain`'],
    services: ['text', 'JSON list of `{"service","spans","errors"}`'],
    spans_object: ['text', 'key of the object with its spans'],
  }),
};

function columns(named: Readonly<Record<string, readonly [ColumnType, string]>>): ArchiveColumn[] {
  return Object.entries(named).map(([name, [type, description]]) => ({ name, type, description }));
}

function promoted(list: readonly Promoted[], of: string): ArchiveColumn[] {
  return list.map(({ column: name, type, keys: [current, ...older] }) => {
    const others = older.length === 0 ? '' : `, or else ${older.map((key) => `\`${key}\``).join(', ')}`;
    return { name, type, description: `${of} attribute \`${current}\`${others}; null without it` };
  });
}
