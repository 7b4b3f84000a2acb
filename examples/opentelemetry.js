/**
 * Spans of two services from OpenTelemetry's SDK, over OTLP/HTTP in protobuf.
 *
 *     npm install @opentelemetry/api @opentelemetry/sdk-trace-base @opentelemetry/resources \
 *       @opentelemetry/exporter-trace-otlp-proto
 *     node examples/opentelemetry.js --endpoint http://127.0.0.1:4318
 *
 * What it shows:
 * - The exporter needs the address and nothing else. Programs that are set up by environment variables have
 *   OTEL_EXPORTER_OTLP_ENDPOINT for it; for gRPC it is port 4317 and @opentelemetry/exporter-trace-otlp-grpc.
 * - The client's span and the server's are halves of one call: kinds CLIENT and SERVER, the one the other's parent.
 * - `forceFlush` resolves once the collector has answered, which is once Kafka has the spans.
 */
import { parseArgs } from 'node:util';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const { values: options } = parseArgs({
  options: { endpoint: { type: 'string', default: 'http://127.0.0.1:4318' } },
});

function providerOf(service) {
  const exporter = new OTLPTraceExporter({ url: `${options.endpoint}/v1/traces` });
  return new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
}

const [web, shop] = [providerOf('web'), providerOf('shop')];

const call = web.getTracer('example').startSpan('GET /cart', { kind: SpanKind.CLIENT }, ROOT_CONTEXT);
// Between processes the context travels in the header `traceparent`.
const arrived = trace.setSpanContext(ROOT_CONTEXT, call.spanContext());
const answer = shop.getTracer('example').startSpan('GET /cart', { kind: SpanKind.SERVER }, arrived);
answer.setStatus({ code: SpanStatusCode.ERROR, message: 'the cart is gone' });
answer.end();
call.setStatus({ code: SpanStatusCode.ERROR });
call.end();

await Promise.all([web, shop].map((provider) => provider.forceFlush()));
await Promise.all([web, shop].map((provider) => provider.shutdown()));
console.log(`trace ${call.spanContext().traceId}`);
