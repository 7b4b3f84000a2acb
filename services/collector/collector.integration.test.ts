import { afterEach, describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { initTracer } from 'jaeger-client';
import { otlpToJson } from '../../lib/codec/otlp-json.ts';
import { KafkaFixture } from '../../lib/kafka/testkit/kafka-fixture.ts';
import { KafkaProxy } from '../../lib/testkit/faults/kafka-proxy.ts';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack } from '../../test/support/stack.ts';
import { readTopic } from '../../test/support/topic.ts';
import { collector } from './main.ts';

const PARTITIONS = 2;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Doors {
  readonly otlp: string;
  readonly grpc: string;
  readonly zipkin: string;
  readonly jaeger: string;
}

/** A collector of its own with free ports and a topic of its own. */
async function startCollector(name: string, env: Record<string, string> = {}) {
  const kafka = await KafkaFixture.open(name);
  closing.push(() => kafka.close());
  const topic = await kafka.topic(PARTITIONS);
  const ports = Object.fromEntries(['HTTP', 'GRPC', 'ZIPKIN', 'JAEGER'].map((door) => [`COLLECTOR_${door}_PORT`, '0']));
  const written: string[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((line: string) => written.push(line) > 0) as typeof write;
  let service: ServiceUnderTest;
  try {
    service = await startService(collector, { ...ports, COLLECTOR_TOPIC: topic, ...env });
  } finally {
    process.stdout.write = write;
  }
  closing.push(() => service.stop());
  const { collector: doors } = JSON.parse(written.join('')) as { collector: Doors };
  return { service, doors, kafka, spans: async () => (await readTopic(topic, PARTITIONS)).flatMap(spansOf) };
}

interface FoundSpan {
  readonly name: string;
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly status?: { readonly code?: number };
}

interface FoundResource {
  readonly resource: { readonly attributes: readonly { key: string; value: { stringValue: string } }[] };
  readonly scopeSpans: readonly { readonly spans: readonly FoundSpan[] }[];
}

function spansOf({ value }: { readonly value: Buffer | null }): FoundSpan[] {
  const { resourceSpans } = otlpToJson(value as Buffer) as unknown as { resourceSpans: readonly FoundResource[] };
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })));
  });
}

/** A server's span and the call that it makes, which fails; `flush` resolves once the exporter has its answer. */
async function traceWith(exporter: SpanExporter): Promise<string> {
  const failures: unknown[] = [];
  const watched: SpanExporter = {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code !== 0) failures.push(result.error);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'web' }),
    spanProcessors: [new SimpleSpanProcessor(watched)],
  });
  const tracer = provider.getTracer('test');
  const server = tracer.startSpan('GET /cart', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
  const client = tracer.startSpan('charge', { kind: SpanKind.CLIENT }, trace.setSpan(ROOT_CONTEXT, server));
  client.setStatus({ code: SpanStatusCode.ERROR, message: 'refused' });
  client.end();
  server.end();
  await provider.forceFlush();
  await provider.shutdown();
  expect(failures).toEqual([]);
  return server.spanContext().traceId;
}

const EXPORTERS: [string, (doors: Doors) => SpanExporter][] = [
  ['OTLP/HTTP in protobuf', ({ otlp: url }) => new ProtobufExporter({ url: `${url}/v1/traces` })],
  [
    'OTLP/HTTP in protobuf with gzip',
    ({ otlp: url }) => new ProtobufExporter({ url: `${url}/v1/traces`, compression: 'gzip' as never }),
  ],
  ['OTLP/HTTP in JSON', ({ otlp: url }) => new JsonExporter({ url: `${url}/v1/traces` })],
  ['OTLP/gRPC', ({ grpc }) => new GrpcExporter({ url: grpc })],
  ['Zipkin v2', ({ zipkin }) => new ZipkinExporter({ url: `${zipkin}/api/v2/spans` })],
];

describe('collector', () => {
  it.each(EXPORTERS)(
    "takes spans of OpenTelemetry's exporter for %s; what was answered is in Kafka",
    async (_name, make) => {
      const { doors, spans, service } = await startCollector('collector-sdk');
      const traceId = await traceWith(make(doors));
      // At once: no waiting for records here, the exporter has been told that they are taken.
      const found = (await spans()).sort((a, b) => b.kind - a.kind);
      expect(found).toMatchObject([
        { traceId, service: 'web', name: 'charge', kind: 3, status: { code: 2 } },
        { traceId, service: 'web', name: 'GET /cart', kind: 2 },
      ]);
      expect(found[0]?.parentSpanId).toBe(found[1]?.spanId);
      expect(service.warnings).toEqual([]);
    },
  );

  it("takes spans of Jaeger's client in Thrift", async () => {
    const { doors, spans } = await startCollector('collector-jaeger');
    const tracer = initTracer(
      {
        serviceName: 'web',
        sampler: { type: 'const', param: 1 },
        reporter: { collectorEndpoint: `${doors.jaeger}/api/traces` },
      },
      {},
    );
    const server = tracer.startSpan('GET /cart', { tags: { 'span.kind': 'server' } });
    const client = tracer.startSpan('charge', { childOf: server, tags: { 'span.kind': 'client', error: true } });
    client.finish();
    server.finish();
    await new Promise<void>((resolve) => tracer.close(resolve));
    const found = (await spans()).sort((a, b) => b.kind - a.kind);
    expect(found).toMatchObject([
      { service: 'web', name: 'charge', kind: 3, status: { code: 2 } },
      { service: 'web', name: 'GET /cart', kind: 2 },
    ]);
    expect(found[0]?.parentSpanId).toBe(found[1]?.spanId);
  });

  it('answers 503 with a time while Kafka acknowledges nothing, is not ready, and takes the same request afterwards', async () => {
    const [host = '', port = ''] = (testStack().kafka[0] as string).split(':');
    const proxy = await KafkaProxy.open({ host, port: Number(port) });
    closing.push(() => proxy.close());
    const { doors, spans, service } = await startCollector('collector-deaf', {
      KAFKA_BROKERS: proxy.tcp.address,
      KAFKA_REQUEST_TIMEOUT_MS: '1000',
      COLLECTOR_ACK_TIMEOUT_MS: '500',
    });
    const body = otlp([{ service: 'web', spans: [{ id: 1 }, { id: 2, parent: 1 }] }]);
    const post = () =>
      fetch(`${doors.otlp}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(body),
      });
    const deaf = proxy.arm({ api: 'Produce', fault: 'swallow' });
    const answers = await Promise.all([post(), post(), post()]);
    for (const { status, headers } of answers) expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(deaf.hits).toBeGreaterThan(0);
    expect(service.ready()).toMatch(/Kafka/);
    expect(service.warnings.join('\n')).toMatch(/clients are told to try again/);
    deaf.remove();
    let status = 503;
    while (status === 503) status = (await post()).status;
    expect(status).toBe(200);
    expect(service.ready()).toBe(true);
    expect(new Set((await spans()).map(({ spanId }) => spanId)).size).toBe(2);
  });

  it('finishes what it has begun when it is stopped, and every acknowledged span is there', async () => {
    const { doors, spans, service } = await startCollector('collector-stop');
    const post = async (trace: number) => {
      const body = otlp([{ service: 'web', spans: [{ id: 1, trace }] }]);
      try {
        const { status } = await fetch(`${doors.otlp}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body: new Uint8Array(body),
        });
        return status === 200 ? trace : undefined;
      } catch {
        return undefined;
      }
    };
    const sending = Array.from({ length: 200 }, (_, i) => post(i + 1));
    const first = await Promise.race(sending);
    expect(first).toBeDefined();
    await service.stop();
    const acknowledged = (await Promise.all(sending)).filter((trace) => trace !== undefined);
    const found = new Set((await spans()).map(({ traceId }) => Number.parseInt(traceId, 16)));
    expect(acknowledged.filter((trace) => !found.has(trace))).toEqual([]);
  });

  it('will not start without its topic, and says so', async () => {
    await expect(startCollector('collector-topic', { COLLECTOR_TOPIC: 'test-nowhere' })).rejects.toMatchObject({
      code: 'KAFKA_TOPIC_MISSING',
      retryable: true,
    });
  });
});
