import { otlpOfRows, otlpOfTraces } from '../../lib/archive/otlp-of-traces.ts';
import { searchTraces, type TraceSummary } from '../../lib/archive/search-traces.ts';
import { Archive, CACHE_OPTIONS, RANGE_OPTIONS, rangeOf } from '../archive/open-archive.ts';
import { rowsText } from '../archive/print-rows.ts';
import { parseDuration } from '../archive/time-range.ts';
import { TRACE_FORMATS, TraceWriter } from '../archive/trace-writer.ts';
import { defineCommand, oneOf, UsageError, wholeNumber } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { plural } from '../format.ts';
import { connectKafka } from '../kafka/connect.ts';
import { MessageSender } from '../produce/message-sender.ts';

const ACTIONS = ['get', 'search', 'export', 'replay'] as const;

export const command = defineCommand({
  name: 'traces',
  summary: 'Finds traces in the archive, prints them, exports them or sends them to a topic; from S3 alone.',
  positionals: `${ACTIONS.join('|')} [TRACE_ID]`,
  positionalsMin: 1,
  positionalsMax: 2,
  options: {
    ...RANGE_OPTIONS,
    service: { type: 'string', value: 'NAME', description: 'With a span of this service.' },
    operation: { type: 'string', value: 'NAME', description: 'With a span of this name, of --service when given.' },
    error: { type: 'boolean', description: 'With a failed span.' },
    'min-duration': { type: 'string', value: 'TIME', description: 'That took at least so long: 250ms, 1.5s.' },
    limit: { type: 'string', value: 'N', description: 'The newest N traces. Default: 20; export and replay: 1000.' },
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      description: 'table (default), json, otlp (JSON), or jaeger.',
    },
    topic: { type: 'string', value: 'NAME', description: 'replay: the topic to send to, one trace a record.' },
    bootstrap: { type: 'string', value: 'HOST:PORT', description: 'replay: a Kafka broker. Default: KAFKA_BROKERS.' },
    ...CACHE_OPTIONS,
  },
  details: `get TRACE_ID reads the index of traces and then the pages with its spans, newest hour first.
search lists traces; export prints those found as OTLP/JSON, a trace a line, or with -o jaeger
as a file that Jaeger's page opens; replay sends them as OTLP protobuf.
Exit code 1: no such trace. 2: objects were damaged or foreign and are not in the answer; each is named.`,
  examples: [
    'spanloom traces get 4bf92f3577b34da6a3ce929d0e0e4736 --since 7d',
    'spanloom traces search --service checkout --error --min-duration 500ms --since 2h',
    'spanloom traces export --service checkout --since 1h > checkout.jsonl',
    'spanloom traces export -o jaeger --error --since 1h > failed.json',
    'spanloom traces replay --service checkout --topic otlp_spans_copy',
  ],
  run(values, [word, traceId], io) {
    const action = ACTIONS.find((name) => name === word);
    if (action === undefined) throw new UsageError(`'traces' does ${ACTIONS.join(', ')}, not '${word}'.`, 'traces');
    if ((action === 'get') !== (traceId !== undefined)) {
      throw new UsageError(action === 'get' ? 'get needs TRACE_ID.' : `${action} takes no TRACE_ID.`, 'traces');
    }
    const format = oneOf(values.output ?? 'table', '--output', ['table', 'json', ...TRACE_FORMATS]);
    const range = rangeOf(values);
    if (action === 'get') {
      const id = (traceId as string).toLowerCase();
      if (!/^[0-9a-f]{32}$/.test(id)) {
        throw new UsageError(`A trace id is 32 hexadecimal digits, not '${traceId}'.`, 'traces');
      }
      return Archive.with(io, async (archive) => {
        const trace = await archive.reader(values).getTrace(id, range);
        if (trace === undefined) {
          io.say(`spanloom: trace ${id} is not in the archive from ${iso(range.sinceMs)} to ${iso(range.untilMs)}.`);
          return archive.problems.length > 0 ? EXIT.incomplete : EXIT.failed;
        }
        if (format === 'otlp' || format === 'jaeger') {
          const writer = new TraceWriter(format, io);
          writer.write({ traceId: id, bytes: trace.otlp ?? otlpOfRows(trace.spans) });
          writer.end();
        } else {
          const columns = format === 'json' ? Object.keys(trace.spans[0] ?? {}) : SPAN_COLUMNS;
          io.out(rowsText({ columns, rows: trace.spans.map((row) => columns.map((name) => row[name])) }, format));
        }
        return EXIT.ok;
      });
    }
    if (action === 'replay' && values.topic === undefined) throw new UsageError('replay needs --topic.', 'traces');
    const limitDefault = action === 'search' ? '20' : '1000';
    const filter = {
      service: values.service,
      operation: values.operation,
      error: values.error,
      minDurationNs:
        values['min-duration'] === undefined ? 0n : parseDuration(values['min-duration'], '--min-duration'),
      range,
      limit: wholeNumber(values.limit ?? limitDefault, '--limit', 1, 100_000),
    };
    return Archive.with(io, async (archive) => {
      const withSpans = action !== 'search' || format === 'otlp' || format === 'jaeger';
      const needsSpans = withSpans || filter.operation !== undefined;
      const sql = await archive.sql(range, values, needsSpans ? ['spans', 'traces'] : ['traces']);
      const found = await searchTraces(sql, filter);
      if (!withSpans) {
        const text = rowsText(summaryRows(found), format as 'table' | 'json');
        if (text !== '') io.out(text);
        return EXIT.ok;
      }
      const sender =
        action === 'replay'
          ? await MessageSender.connect(connectKafka(io.env, values.bootstrap).kafka, values.topic as string)
          : undefined;
      try {
        const writer = new TraceWriter(format === 'jaeger' ? 'jaeger' : 'otlp', io);
        for await (const trace of otlpOfTraces(archive.bucket, sql, found, archive.onProblem)) {
          if (sender === undefined) writer.write(trace);
          else await sender.add(trace.bytes);
        }
        if (sender === undefined) writer.end();
        await sender?.flush();
        if (sender !== undefined) io.say(`Sent ${plural(sender.messages, 'trace')} to ${values.topic}.`);
      } finally {
        await sender?.close();
      }
      return EXIT.ok;
    });
  },
});

function summaryRows(found: readonly TraceSummary[]) {
  return {
    columns: ['trace_id', 'start_time', 'duration_ms', 'root_service', 'root_operation', 'span_count', 'error_count'],
    rows: found.map((trace) => [
      trace.traceId,
      trace.startTime,
      Number(trace.durationNs) / 1e6,
      trace.rootService,
      trace.rootOperation,
      trace.spanCount,
      trace.errorCount,
    ]),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

const SPAN_COLUMNS = [
  'span_id',
  'parent_span_id',
  'service',
  'operation',
  'kind',
  'start_ns',
  'duration_ns',
  'status_code',
];
