/**
 * Spans of two services through OpenTracing's API, with OpenTelemetry behind it: the way for programs whose OpenTracing
 * tracer is no longer cared for, Lightstep's among them.
 *
 *     npm install opentracing @opentelemetry/api @opentelemetry/core @opentelemetry/shim-opentracing \
 *       @opentelemetry/sdk-trace-base @opentelemetry/resources @opentelemetry/exporter-trace-otlp-proto
 *     node examples/opentracing-otel.js --endpoint http://127.0.0.1:4318
 *
 * What it shows:
 * - The one place that made the OpenTracing tracer makes a TracerShim instead; the instrumentation stays as it is.
 * - The shim makes the tag `error` the status, but leaves `span.kind` an attribute. Who calls whom is told by the kind, so
 *   a processor in front of the exporter's sets it.
 */
import { parseArgs } from 'node:util';
import { SpanKind } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { TracerShim } from '@opentelemetry/shim-opentracing';
import opentracing from 'opentracing';

const { values: options } = parseArgs({
  options: { endpoint: { type: 'string', default: 'http://127.0.0.1:4318' } },
});
const { FORMAT_HTTP_HEADERS, Tags } = opentracing;

const KINDS = {
  [Tags.SPAN_KIND_RPC_CLIENT]: SpanKind.CLIENT,
  [Tags.SPAN_KIND_RPC_SERVER]: SpanKind.SERVER,
  [Tags.SPAN_KIND_MESSAGING_PRODUCER]: SpanKind.PRODUCER,
  [Tags.SPAN_KIND_MESSAGING_CONSUMER]: SpanKind.CONSUMER,
};
const kindFromTag = {
  onStart() {},
  onEnd(span) {
    span.kind = KINDS[span.attributes[Tags.SPAN_KIND]] ?? span.kind;
  },
  async forceFlush() {},
  async shutdown() {},
};

function tracerOf(service) {
  const exporter = new OTLPTraceExporter({ url: `${options.endpoint}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [kindFromTag, new BatchSpanProcessor(exporter)],
  });
  const httpHeadersPropagator = new W3CTraceContextPropagator();
  return { provider, tracer: new TracerShim(provider.getTracer('example'), { httpHeadersPropagator }) };
}

const [web, shop] = [tracerOf('web'), tracerOf('shop')];

const call = web.tracer.startSpan('GET /cart', { tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_CLIENT } });
const headers = {};
web.tracer.inject(call, FORMAT_HTTP_HEADERS, headers);

const answer = shop.tracer.startSpan('GET /cart', {
  childOf: shop.tracer.extract(FORMAT_HTTP_HEADERS, headers),
  tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_SERVER },
});
answer.setTag(Tags.ERROR, true);
answer.logEvent('the cart is gone');
answer.finish();
call.setTag(Tags.ERROR, true);
call.finish();

await Promise.all([web, shop].map(({ provider }) => provider.forceFlush()));
await Promise.all([web, shop].map(({ provider }) => provider.shutdown()));
console.log(`trace ${call.context().toTraceId()}`);
