/**
 * What the router's own work costs: scan, check of attributes, partitioning and bundling, without Kafka.
 *
 *     node bench/router-core.ts [--spans 1000000] [--partitions 12] [--encoding zipkin_json] [--json]
 *
 * Input as in the pipeline's bench: about 384 bytes of OTLP per span, 12 spans per trace, records of 50 spans of one
 * process that mix traces. A poll is 300 records, as one 1 MiB fetch of zstd-compressed records brings.
 */
import { createHash, createHmac } from 'node:crypto';
import { parseArgs } from 'node:util';
import { DECODERS } from '../lib/codec/ingest/decoders.ts';
import { partitionOfTraceId } from '../lib/kafka/murmur2.ts';
import type { LogRecord } from '../lib/kafka/types.ts';
import { decodeReference, type ReferenceKeyValue, type ReferenceSpan } from '../lib/testkit/otlp-reference.ts';
import { WireWriter } from '../lib/trace/wire-writer.ts';
import { DEFAULT_REDACTION } from '../services/span-router/config.ts';
import { RedactionRules } from '../services/span-router/core/redaction-rules.ts';
import { RouterStage } from '../services/span-router/core/router-stage.ts';

const { values: options } = parseArgs({
  options: {
    spans: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '12' },
    encoding: { type: 'string', default: 'otlp_proto' },
    json: { type: 'boolean', default: false },
  },
});

const SPANS_PER_RECORD = 50;
const SPANS_PER_TRACE = 12;
const RECORDS_PER_POLL = 300;
const SERVICES = 20;

const spans = Number(options.spans);
const partitions = Number(options.partitions);
const records = generate(20_000);
const stage = createStage(partitions);

await route(records.slice(0, 200));
const started = process.cpuUsage();
let routed = 0;
let bytesIn = 0;
let bytesOut = 0;
while (routed < spans) {
  for (let from = 0; from < records.length && routed < spans; from += RECORDS_PER_POLL) {
    const poll = records.slice(from, from + RECORDS_PER_POLL);
    for (const record of poll) bytesIn += record.value?.length ?? 0;
    bytesOut += await route(poll);
    routed += poll.length * SPANS_PER_RECORD;
  }
}
const used = process.cpuUsage(started);
const cpuSeconds = (used.user + used.system) / 1e6;
const result = {
  spans: routed,
  spansPerCpuSecond: Math.round(routed / cpuSeconds),
  microsPerSpan: Number(((cpuSeconds * 1e6) / routed).toFixed(3)),
  bytesInPerSpan: Math.round(bytesIn / routed),
  bytesOutPerSpan: Math.round(bytesOut / routed),
  rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
};
if (options.json) console.log(JSON.stringify(result));
else console.table(result);

async function route(poll: readonly LogRecord[]): Promise<number> {
  await stage.apply(poll, { streamTimeMs: 1, caughtUp: false, nextOffset: (poll.at(-1)?.offset ?? 0) + 1 });
  const commit = await stage.prepare('interval');
  if (commit === undefined) throw new Error('nothing to commit');
  let bytes = 0;
  for (const output of commit.outputs) for (const record of output.records) bytes += record.value?.length ?? 0;
  await stage.committed(commit, () => undefined);
  return bytes;
}

function createStage(count: number): RouterStage {
  const rules = new RedactionRules(DEFAULT_REDACTION);
  return new RouterStage(
    {
      topic: 'otlp_spans',
      partition: 0,
      encoding: 'auto',
      partitions: count,
      spanBytesMax: 262_144,
      rules,
      deadLetterPayload: false,
      spansTopic: 'spanloom.spans',
      deadLettersTopic: 'spanloom.dead-letters',
      deadLettersPartition: 0,
    },
    {
      decoders: DECODERS,
      partitionOfTrace: (bytes, offset) => partitionOfTraceId(bytes, offset, count),
      hashValue: (value) => createHmac('sha256', 'key').update(value).digest('hex'),
      sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
      encodeDeadLetter: () => {
        throw new Error('the bench refuses no span');
      },
      earliestOffset: async () => 0,
      routed: () => {},
    },
  );
}

/** Traces of 12 spans over 12 of the services; each service sends its spans 50 at a time, so records mix traces. */
function generate(spanCount: number): LogRecord[] {
  const queues: Buffer[][] = Array.from({ length: SERVICES }, () => []);
  const made: LogRecord[] = [];
  for (let i = 0; i < spanCount; i++) {
    const trace = Math.floor(i / SPANS_PER_TRACE);
    const service = (trace + (i % SPANS_PER_TRACE)) % SERVICES;
    const queue = queues[service]!;
    queue.push(span(trace, i));
    if (queue.length === SPANS_PER_RECORD) {
      made.push({
        offset: made.length,
        timestampMs: 1,
        key: null,
        value: encoded(request(service, queue)),
        headers: new Map(),
      });
      queue.length = 0;
    }
  }
  return made;
}

/** The same spans in Zipkin's JSON when that is asked for. */
function encoded(otlp: Buffer): Buffer {
  if (options.encoding === 'otlp_proto') return otlp;
  if (options.encoding !== 'zipkin_json') throw new Error('--encoding is otlp_proto or zipkin_json');
  const { resourceSpans = [] } = decodeReference(otlp);
  const list = resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans: inScope = [] }) =>
      inScope.map((body) => zipkinSpan(body, resource?.attributes ?? [])),
    ),
  );
  return Buffer.from(JSON.stringify(list));
}

function zipkinSpan(body: ReferenceSpan, resource: readonly ReferenceKeyValue[]): object {
  const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');
  const start = BigInt(body.startTimeUnixNano ?? 0);
  return {
    traceId: hex(body.traceId),
    id: hex(body.spanId),
    parentId: hex(body.parentSpanId),
    name: body.name,
    kind: body.kind === 3 ? 'CLIENT' : 'SERVER',
    timestamp: Number(start / 1000n),
    duration: Number((BigInt(body.endTimeUnixNano ?? 0) - start) / 1000n),
    localEndpoint: { serviceName: resource[0]?.value?.stringValue },
    tags: Object.fromEntries((body.attributes ?? []).map(({ key, value }) => [key, value?.stringValue])),
  };
}

function request(service: number, spansOfService: readonly Buffer[]): Buffer {
  const out = new WireWriter(32_768);
  const resourceSpans = out.begin(0x0a, 20_000);
  const resource = out.begin(0x0a, 300);
  attribute(out, 0x0a, 'service.name', `service-${service}`);
  attribute(out, 0x0a, 'service.version', '1.42.0');
  attribute(out, 0x0a, 'service.instance.id', `8d9c6a0e-0000-4000-8000-0000000000${String(service).padStart(2, '0')}`);
  attribute(out, 0x0a, 'k8s.pod.name', `service-${service}-7d9f8b6c5-x2x4z`);
  attribute(out, 0x0a, 'telemetry.sdk.language', 'nodejs');
  out.end(resource);
  const scopeSpans = out.begin(0x12, 20_000);
  const scope = out.begin(0x0a, 60);
  out.textField(0x0a, '@opentelemetry/instrumentation-http');
  out.textField(0x12, '0.203.0');
  out.end(scope);
  for (const body of spansOfService) out.bytesField(0x12, body);
  out.end(scopeSpans);
  out.end(resourceSpans);
  return out.toBuffer();
}

function span(trace: number, index: number): Buffer {
  const out = new WireWriter(512);
  out.bytesField(0x0a, id(`trace ${trace}`, 16));
  out.bytesField(0x12, id(`span ${index}`, 8));
  if (index % SPANS_PER_TRACE > 0) out.bytesField(0x22, id(`span ${index - 1}`, 8));
  out.textField(0x2a, 'GET /api/orders/{orderId}');
  out.varint(0x30);
  out.varint(2 + (index % 2));
  out.varint(0x39);
  out.fixed64(1_700_000_000_000_000_000n + BigInt(index) * 1_000_000n);
  out.varint(0x41);
  out.fixed64(1_700_000_000_000_000_000n + BigInt(index) * 1_000_000n + 12_345_678n);
  attribute(out, 0x4a, 'http.request.method', 'GET');
  attribute(out, 0x4a, 'url.full', `https://shop.example/api/orders/${index % 9973}`);
  attribute(out, 0x4a, 'http.route', '/api/orders/{orderId}');
  attribute(out, 0x4a, 'server.address', 'shop.example');
  attribute(out, 0x4a, 'network.protocol.version', '1.1');
  attribute(out, 0x4a, 'user_agent.original', 'Mozilla/5.0 (X11; Linux)');
  attribute(out, 0x4a, 'http.response.status_code', '200');
  return out.toBuffer();
}

function attribute(out: WireWriter, tag: number, key: string, value: string): void {
  const keyValue = out.begin(tag, 64);
  out.textField(0x0a, key);
  const any = out.begin(0x12, 32);
  out.textField(0x0a, value);
  out.end(any);
  out.end(keyValue);
}

function id(text: string, length: number): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, length);
}
