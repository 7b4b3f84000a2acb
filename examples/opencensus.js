/**
 * Spans of two services from OpenCensus, with its Zipkin exporter.
 *
 *     npm install @opencensus/core @opencensus/exporter-zipkin
 *     node examples/opencensus.js --endpoint http://127.0.0.1:9411
 *
 * What it shows:
 * - The exporter's `url` is a Zipkin server's; nothing else of the program changes.
 * - OpenCensus' agents that write their own protobuf to a Kafka topic are read from there: docs/ingest.md.
 */
import { parseArgs } from 'node:util';
import census from '@opencensus/core';
import zipkin from '@opencensus/exporter-zipkin';

const { values: options } = parseArgs({
  options: { endpoint: { type: 'string', default: 'http://127.0.0.1:9411' } },
});

function tracerOf(serviceName) {
  const exporter = new zipkin.ZipkinTraceExporter({ url: `${options.endpoint}/api/v2/spans`, serviceName });
  const tracer = new census.CoreTracer();
  tracer.start({ samplingRate: 1, logger: census.logger.logger('error') });
  tracer.registerSpanEventListener(exporter);
  return { exporter, tracer };
}

const [web, shop] = [tracerOf('web'), tracerOf('shop')];
let traceId;

web.tracer.startRootSpan({ name: 'GET /cart', kind: census.SpanKind.CLIENT }, (call) => {
  traceId = call.traceId;
  // Between processes the context travels in the header `traceparent`.
  shop.tracer.startRootSpan(
    { name: 'GET /cart', kind: census.SpanKind.SERVER, spanContext: call.spanContext },
    (answer) => {
      answer.setStatus(census.CanonicalCode.INTERNAL, 'the cart is gone');
      answer.end();
    },
  );
  call.setStatus(census.CanonicalCode.INTERNAL);
  call.end();
});

// The exporter sends by itself every 20 s; `publish` does it at once and resolves with the answer.
for (const { exporter } of [web, shop]) {
  const spans = exporter.buffer.getQueue();
  const { statusCode } = await exporter.publish(spans);
  if (statusCode !== 202) throw new Error(`The collector answered ${statusCode}`);
}
console.log(`trace ${traceId}`);
process.exit(0);
