/**
 * Spans of two services from Zipkin's own tracer, as Zipkin's second JSON model.
 *
 *     npm install zipkin zipkin-transport-http
 *     node examples/zipkin.js --endpoint http://127.0.0.1:9411
 *
 * What it shows:
 * - The endpoint is a Zipkin server's; nothing else of the program changes.
 * - Zipkin's two sides of a call may share one span id, as here. Spanloom makes two spans of it, the server's below the
 *   client's.
 */
import { parseArgs } from 'node:util';
import zipkin from 'zipkin';
import transport from 'zipkin-transport-http';

const { values: options } = parseArgs({
  options: { endpoint: { type: 'string', default: 'http://127.0.0.1:9411' } },
});

const { Annotation, BatchRecorder, ExplicitContext, Tracer, jsonEncoder } = zipkin;

function tracerOf(service) {
  const logger = new transport.HttpLogger({
    endpoint: `${options.endpoint}/api/v2/spans`,
    jsonEncoder: jsonEncoder.JSON_V2,
    log: { ...console, error: (message) => fail(message) },
  });
  const recorder = new BatchRecorder({ logger });
  return { logger, tracer: new Tracer({ recorder, ctxImpl: new ExplicitContext(), localServiceName: service }) };
}

const [web, shop] = [tracerOf('web'), tracerOf('shop')];

const id = web.tracer.createRootId();
web.tracer.scoped(() => {
  web.tracer.setId(id);
  web.tracer.recordServiceName('web');
  web.tracer.recordRpc('GET /cart');
  web.tracer.recordAnnotation(new Annotation.ClientSend());
});
// Between processes the ids travel in the headers `X-B3-…`.
shop.tracer.scoped(() => {
  shop.tracer.setId(shop.tracer.join(id));
  shop.tracer.recordServiceName('shop');
  shop.tracer.recordRpc('GET /cart');
  shop.tracer.recordAnnotation(new Annotation.ServerRecv());
  shop.tracer.recordBinary('error', 'the cart is gone');
  shop.tracer.recordAnnotation(new Annotation.ServerSend());
});
web.tracer.scoped(() => {
  web.tracer.setId(id);
  web.tracer.recordBinary('error', '500');
  web.tracer.recordAnnotation(new Annotation.ClientRecv());
});

// A program that goes on needs none of this: the logger sends every second by itself.
const answers = [web, shop].map(({ logger }) => new Promise((resolve) => logger.once('success', resolve)));
for (const { logger } of [web, shop]) logger.processQueue(fetch);
await Promise.all(answers);
console.log(`trace ${id.traceId}`);
process.exit(0);

function fail(message) {
  console.error(message);
  process.exit(1);
}
