/**
 * Spans of two services through OpenTracing's API, with Jaeger's client behind it, as Jaeger's Thrift over HTTP.
 *
 *     npm install jaeger-client opentracing
 *     node examples/opentracing-jaeger.js --endpoint http://127.0.0.1:14268
 *
 * What it shows:
 * - Code that is instrumented with OpenTracing stays as it is; Jaeger's client is told where to post. Programs that are
 *   set up by environment variables have JAEGER_ENDPOINT=http://127.0.0.1:14268/api/traces for it.
 * - Jaeger's client shares no span ids: the server's span is a child of the client's.
 */
import { parseArgs } from 'node:util';
import jaeger from 'jaeger-client';
import opentracing from 'opentracing';

const { values: options } = parseArgs({
  options: { endpoint: { type: 'string', default: 'http://127.0.0.1:14268' } },
});
const { FORMAT_HTTP_HEADERS, Tags } = opentracing;

function tracerOf(serviceName) {
  return jaeger.initTracer(
    {
      serviceName,
      sampler: { type: 'const', param: 1 },
      reporter: { collectorEndpoint: `${options.endpoint}/api/traces` },
    },
    { traceId128bit: true, logger: { info() {}, error: (message) => fail(message) } },
  );
}

const [web, shop] = [tracerOf('web'), tracerOf('shop')];

const call = web.startSpan('GET /cart', { tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_CLIENT } });
const headers = {};
web.inject(call, FORMAT_HTTP_HEADERS, headers);

const answer = shop.startSpan('GET /cart', {
  childOf: shop.extract(FORMAT_HTTP_HEADERS, headers),
  tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_SERVER },
});
answer.setTag(Tags.ERROR, true);
answer.log({ event: 'error', message: 'the cart is gone' });
answer.finish();
call.setTag(Tags.ERROR, true);
call.finish();

// Sends what is left, and waits for the answer.
await Promise.all([web, shop].map((tracer) => new Promise((resolve) => tracer.close(resolve))));
console.log(`trace ${call.context().traceIdStr}`);

function fail(message) {
  console.error(message);
  process.exit(1);
}
