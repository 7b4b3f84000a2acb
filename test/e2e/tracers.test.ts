import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { SpanEncoding } from '../../lib/codec/ingest/decoders.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { encodedCall, TRACE_ID } from '../../lib/testkit/formats/one-call.ts';
import { Command, runCommand } from '../support/command.ts';
import { testStack, uniquePrefix } from '../support/stack.ts';
import { waitForRecords } from '../support/topic.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const env = {
  SPANLOOM_PREFIX: uniquePrefix('tracers'),
  // The spans of a trace come in requests of their own, which a busy machine may keep apart.
  TRACE_IDLE_TIMEOUT_MS: '5000',
  TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '5000',
  ARCHIVE_RANGE_AGE_MAX_MS: '1000',
};
const topic = `${env.SPANLOOM_PREFIX}-ingest`;
let up: Command;
let collector: { readonly otlp: string; readonly grpc: string; readonly zipkin: string; readonly jaeger: string };

beforeAll(async () => {
  const services = 'collector,span-router,trace-assembler,graph-builder,archiver';
  up = new Command(['up', '--topic', topic, '--partitions', '2', '--only', services], env);
  collector = JSON.parse(await up.line('stdout', /"ready":true/, 150_000)).collector;
}, 180_000);

afterAll(async () => {
  up.signal('SIGINT');
  await up.exited;
}, 60_000);

/** A way in for one body, and the encoding that it takes there. */
type Door = readonly [name: string, encoding: SpanEncoding, send: (body: Buffer) => Promise<unknown>];

/** 200 or 202 says that Kafka has it; anything else fails. */
const post = (url: () => string, type: string) => async (body: Buffer) => {
  const response = await fetch(url(), {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(body),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
};

const exportOverGrpc = (body: Buffer) => {
  const client = new Client(new URL(collector.grpc).host, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  const method = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  return new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest(method, asIs, asIs, body, (error) => (error === null ? resolve() : reject(error)));
  }).finally(() => client.close());
};

const DOORS: readonly Door[] = [
  ['OTLP/HTTP', 'otlp_proto', post(() => `${collector.otlp}/v1/traces`, 'application/x-protobuf')],
  ['OTLP/HTTP', 'otlp_json', post(() => `${collector.otlp}/v1/traces`, 'application/json')],
  ['OTLP/gRPC', 'otlp_proto', exportOverGrpc],
  ['/api/v2/spans', 'zipkin_json', post(() => `${collector.zipkin}/api/v2/spans`, 'application/json')],
  ['/api/v2/spans', 'zipkin_proto', post(() => `${collector.zipkin}/api/v2/spans`, 'application/x-protobuf')],
  ['/api/v1/spans', 'zipkin_json', post(() => `${collector.zipkin}/api/v1/spans`, 'application/json')],
  ['/api/v1/spans', 'zipkin_thrift', post(() => `${collector.zipkin}/api/v1/spans`, 'application/x-thrift')],
  ['/api/traces', 'jaeger_thrift', post(() => `${collector.jaeger}/api/traces`, 'application/x-thrift')],
];

/** Every way in with the bodies of a trace of its own, by trace id. */
function everyWayIn(toTopic: (body: Buffer) => Promise<unknown>) {
  const forms = encodedCall(TRACE_ID).map(([encoding]) => encoding);
  const ways: [encoding: SpanEncoding, form: number, send: (body: Buffer) => Promise<unknown>][] = [];
  for (const [form, encoding] of forms.entries()) {
    ways.push([encoding, form, toTopic]);
    // Zipkin's JSON has two forms, of which the doors take either.
    for (const [, taken, send] of DOORS) if (taken === encoding) ways.push([encoding, form, send]);
  }
  return ways.map(([, form, send], i) => {
    const traceId = (i + 1).toString(16).padStart(32, 'a');
    return { traceId, send, bodies: (encodedCall(traceId)[form] as [SpanEncoding, Buffer[]])[1] };
  });
}

const lines = (text: readonly string[]) => text.map((line) => JSON.parse(line));
const tail = async (name: string) =>
  lines((await runCommand(['tail', name, '-o', 'json', '--from-beginning', '--exit-at-end'], env)).stdout);

describe('the same trace through every encoding and every door', () => {
  let traceIds: string[];

  beforeAll(async () => {
    const kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-tracer' });
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    try {
      const ways = everyWayIn((value) => producer.send({ topic, messages: [{ value }] }));
      expect(ways).toHaveLength(12 + 10);
      for (const { send, bodies } of ways) for (const body of bodies) await send(body);
      traceIds = ways.map(({ traceId }) => traceId);
    } finally {
      await producer.disconnect();
    }
  });

  it('becomes the same assembled trace', async () => {
    const traces = await waitForRecords(
      () => tail('traces'),
      (found) => found.length >= traceIds.length,
      60_000,
    );
    expect(traces.map(({ traceId }) => traceId).sort()).toEqual([...traceIds].sort());
    for (const trace of traces) {
      expect(trace).toMatchObject({
        revision: 1,
        complete: true,
        startTimeUnixNano: '1760000000000000000',
        durationNano: '9000000',
        rootService: 'web',
        rootOperation: 'get /cart',
        spanCount: 2,
        errorCount: 2,
        duplicateCount: 0,
      });
      const byName = [...trace.services].sort((a, b) => (a.service < b.service ? -1 : 1));
      expect(byName).toEqual([
        { service: 'shop', spanCount: 1, errorCount: 1 },
        { service: 'web', spanCount: 1, errorCount: 1 },
      ]);
    }
  }, 90_000);

  it('becomes the same call on the same edge', async () => {
    const calls = new Map<string, number>();
    const sumOf = async () => {
      calls.clear();
      for (const delta of await tail('service-edges')) {
        if (delta.subject !== 'edge') continue;
        const { client, server, connectionType, clientOperation, serverOperation, confidence } = delta;
        const edge = [client, server, connectionType, clientOperation, serverOperation, confidence].join('|');
        const key = `${edge}|${Number(delta.errors) === Number(delta.calls)}`;
        calls.set(key, (calls.get(key) ?? 0) + Number(delta.calls));
      }
      return [...calls];
    };
    const found = await waitForRecords(sumOf, (edges) => edges.some(([, count]) => count >= traceIds.length), 60_000);
    expect(found).toContainEqual(['web|shop||get /cart|get /cart|exact|true', traceIds.length]);
    expect(found.filter(([edge]) => edge.startsWith('web|'))).toHaveLength(1);
  }, 90_000);

  it('becomes the same two rows of the archive', async () => {
    const columns =
      'service, operation, kind, parent_span_id, span_id, start_ns, duration_ns, status_code, root_service';
    const rows = `SELECT ${columns}, http_request_method AS method, trace_complete, count(*) AS traces FROM spans
      WHERE start_ns < 1770000000000000000 GROUP BY ALL ORDER BY service DESC`;
    const ask = async () => lines((await runCommand(['sql', rows, '-o', 'json', '--since', '2025-10-01'], env)).stdout);
    const found = await waitForRecords(
      ask,
      (rowsFound) => rowsFound.length > 0 && rowsFound.every(({ traces }) => Number(traces) >= traceIds.length),
      60_000,
    );
    expect(found.map((row) => ({ ...row, start_ns: String(row.start_ns), traces: Number(row.traces) }))).toMatchObject([
      {
        service: 'web',
        operation: 'get /cart',
        kind: 'client',
        parent_span_id: null,
        start_ns: '1760000000000000000',
        status_code: 'error',
        root_service: 'web',
        method: 'GET',
        trace_complete: true,
        traces: traceIds.length,
      },
      { service: 'shop', operation: 'get /cart', kind: 'server', status_code: 'error', traces: traceIds.length },
    ]);
  }, 120_000);
});

describe('the examples that send spans', () => {
  const EXAMPLES = [
    ['opentelemetry.js', 'otlp'],
    ['opentracing-otel.js', 'otlp'],
    ['opentracing-jaeger.js', 'jaeger'],
    ['zipkin.js', 'zipkin'],
    ['opencensus.js', 'zipkin'],
  ] as const;

  it('run as written, and each makes one whole trace of two services', async () => {
    const traceIds = new Map<string, string>();
    for (const [file, door] of EXAMPLES) {
      const args = [path.join(ROOT, 'examples', file), '--endpoint', collector[door]];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
      const traceId = /^trace ([0-9a-f]+)$/m.exec(stdout)?.[1];
      if (traceId === undefined) throw new Error(`${file} said ${stdout}`);
      traceIds.set(traceId.padStart(32, '0'), file);
    }
    const found = await waitForRecords(
      async () => (await tail('traces')).filter(({ traceId }) => traceIds.has(traceId)),
      (traces) => traces.length >= EXAMPLES.length,
      60_000,
    );
    const told = found.map(({ traceId, rootService, complete, spanCount, errorCount, services }) => ({
      file: traceIds.get(traceId),
      rootService,
      complete,
      spanCount,
      errorCount,
      services: services.map(({ service }: { service: string }) => service).sort(),
    }));
    expect(told.sort((a, b) => ((a.file as string) < (b.file as string) ? -1 : 1))).toEqual(
      EXAMPLES.map(([file]) => file)
        .sort()
        .map((file) => ({
          file,
          rootService: 'web',
          complete: true,
          spanCount: 2,
          errorCount: 2,
          services: ['shop', 'web'],
        })),
    );
  }, 180_000);
});
