import { encodeTraceRequest, type GeneratedSpan, type SpanKind } from '../lib/testkit/traffic/otlp-encode.ts';
import { SeededRandom } from '../lib/testkit/traffic/random.ts';

/**
 * The benchmark's span set: whole traces of about 12 spans over services whose pods each send batches of 50 spans, so
 * that a message mixes about 45 traces and a trace arrives in about 8 messages. About 400 bytes of OTLP for each span,
 * its share of the resource included.
 *
 * @param roots false leaves the root of each trace out, as of requests that still run.
 * @yields encoded ExportTraceServiceRequests, in the order in which a collector would get them.
 */
export function* benchMessages(spanCount: number, seed = 1, { roots = true } = {}): Generator<Buffer> {
  const pods = new PodBuffers(new SeededRandom(seed + 1));
  const random = new SeededRandom(seed);
  let made = 0;
  for (let trace = 0; made < spanCount; trace++) {
    const spans = traceSpans(random, trace, Math.min(spanCount - made + (roots ? 0 : 1), 6 + random.below(13)));
    if (!roots) spans.shift();
    made += spans.length;
    for (const { service, span } of spans) {
      const message = pods.add(service, span);
      if (message !== undefined) yield message;
    }
  }
  yield* pods.flush();
}

/**
 * Whole traces of the same kind, each as one encoded request.
 *
 * @yields without end.
 */
export function* benchTraces(spansPerTrace: number, seed = 1): Generator<{ traceId: Buffer; otlp: Buffer }> {
  const random = new SeededRandom(seed);
  for (let trace = 0; ; trace++) {
    const pods = new PodBuffers(random);
    const spans = traceSpans(random, trace, spansPerTrace);
    for (const { service, span } of spans) pods.add(service, span);
    yield { traceId: Buffer.from((spans[0] as ServiceSpan).span.traceId), otlp: Buffer.concat([...pods.flush()]) };
  }
}

/** Spans of the whole set: exactly `spanCount`; traces: about a twelfth. */
export const SPANS_PER_MESSAGE = 50;
const SERVICES = 20;
const PODS_PER_SERVICE = 3;
const OPERATIONS = 24;
/** Traces begin this far apart, nanoseconds of event time. */
const TRACE_GAP_NS = 1_000_000n;
const EPOCH_NS = 1_760_000_000_000_000_000n;

interface ServiceSpan {
  readonly service: number;
  readonly span: GeneratedSpan;
}

/** One trace: each call is a client span and the server span below it in the next service; leaves ask a database. */
function traceSpans(random: SeededRandom, trace: number, count: number): ServiceSpan[] {
  const traceId = randomBytes(random, 16);
  const start = EPOCH_NS + BigInt(trace) * TRACE_GAP_NS;
  const spans: ServiceSpan[] = [];
  const fails = random.float() < 0.01;
  for (let i = 0; i < count; i++) {
    const parent = i === 0 ? undefined : (spans[i % 2 === 0 ? i - 1 : random.below(i)] as ServiceSpan);
    const isServer = i % 2 === 0;
    const service = isServer || parent === undefined ? (trace * 7 + i * 3) % SERVICES : parent.service;
    const kind: SpanKind = isServer ? 'server' : 'client';
    const offset = BigInt(i * 300_000 + random.below(200_000));
    spans.push({
      service,
      span: {
        traceId,
        spanId: randomBytes(random, 8),
        ...(parent === undefined ? {} : { parentSpanId: parent.span.spanId }),
        name: `${isServer ? 'GET' : 'call'} /api/v1/${RESOURCES[(trace + i) % RESOURCES.length]}/{id}`,
        kind,
        startUnixNano: start + offset,
        endUnixNano: start + offset + BigInt(400_000 + random.below(40_000_000)),
        attributes: isServer ? serverAttributes(random, trace, i) : clientAttributes(random, trace, i),
        ...(fails && i === count - 1 ? { status: { code: 'error' as const, message: 'upstream timed out' } } : {}),
      },
    });
  }
  return spans;
}

const RESOURCES = ['orders', 'carts', 'users', 'items', 'prices', 'stock', 'quotes', 'routes'];

function serverAttributes(random: SeededRandom, trace: number, i: number) {
  return {
    'http.request.method': 'GET',
    'http.route': `/api/v1/${RESOURCES[(trace + i) % RESOURCES.length]}/{id}`,
    'url.path': `/api/v1/${RESOURCES[(trace + i) % RESOURCES.length]}/${random.below(1_000_000)}`,
    'http.response.status_code': 200,
    'client.address': `10.0.${random.below(256)}.${random.below(256)}`,
    'server.port': 8080,
    'user_agent.original': `client/${1 + (trace % 4)}.0`,
    'app.shard': i % OPERATIONS,
    'network.protocol.version': '1.1',
    'server.address': 'shop.example',
    'enduser.id': `user-${random.below(100_000)}`,
  };
}

function clientAttributes(random: SeededRandom, trace: number, i: number) {
  return {
    'db.system.name': 'postgresql',
    'db.namespace': 'shop',
    'db.query.text': `SELECT * FROM ${RESOURCES[(trace + i) % RESOURCES.length]} WHERE id = $1`,
    'server.address': `db-${i % 4}.internal`,
    'server.port': 5432,
    'db.response.returned_rows': random.below(50),
    'thread.id': random.below(64),
    'network.peer.address': `10.1.0.${i % 4}`,
    'db.operation.name': 'SELECT',
  };
}

function randomBytes(random: SeededRandom, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(random.uint32(), at);
  return bytes;
}

/** Spans wait in their pod until it has a batch. */
class PodBuffers {
  private readonly random: SeededRandom;
  private readonly pods = Array.from({ length: SERVICES * PODS_PER_SERVICE }, (): GeneratedSpan[] => []);

  constructor(random: SeededRandom) {
    this.random = random;
  }

  add(service: number, span: GeneratedSpan): Buffer | undefined {
    const pod = service * PODS_PER_SERVICE + this.random.below(PODS_PER_SERVICE);
    const spans = this.pods[pod] as GeneratedSpan[];
    spans.push(span);
    return spans.length < SPANS_PER_MESSAGE ? undefined : this.message(pod);
  }

  *flush(): Generator<Buffer> {
    for (let pod = 0; pod < this.pods.length; pod++) if (this.pods[pod]?.length !== 0) yield this.message(pod);
  }

  private message(pod: number): Buffer {
    const service = Math.floor(pod / PODS_PER_SERVICE);
    const spans = this.pods[pod]?.splice(0) as GeneratedSpan[];
    const resource = {
      'service.name': `service-${service}`,
      'service.version': `1.${service}.0`,
      'service.instance.id': `service-${service}-${pod % PODS_PER_SERVICE}`,
      'host.name': `node-${pod % 12}`,
      'k8s.namespace.name': 'shop',
      'k8s.pod.name': `service-${service}-7c9d8b6f5d-${pod}`,
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '2.1.0',
    };
    return encodeTraceRequest(resource, [
      { scope: { name: '@opentelemetry/instrumentation-http', version: '0.57.0' }, spans },
    ]);
  }
}
