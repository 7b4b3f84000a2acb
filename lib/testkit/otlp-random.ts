import type {
  ReferenceKeyValue,
  ReferenceRequest,
  ReferenceResourceSpans,
  ReferenceScopeSpans,
  ReferenceSpan,
  ReferenceValue,
} from './otlp-reference.ts';
import type { SeededRandom } from './traffic/random.ts';

/** A request with anything that OTLP allows: several resources, scopes without spans, nested values, missing parts. */
export function randomRequest(random: SeededRandom): ReferenceRequest {
  return { resourceSpans: times(random, 3, () => randomResourceSpans(random)) };
}

export function randomSpan(random: SeededRandom): ReferenceSpan {
  return {
    traceId: random.bytes(16),
    spanId: random.bytes(8),
    ...maybe(random, 0.8, () => ({ parentSpanId: random.bytes(8) })),
    ...maybe(random, 0.2, () => ({ traceState: 'vendor=value' })),
    ...maybe(random, 0.95, () => ({ name: randomText(random) })),
    ...maybe(random, 0.9, () => ({ kind: random.below(6) })),
    ...maybe(random, 0.95, () => ({ startTimeUnixNano: randomNanos(random) })),
    ...maybe(random, 0.95, () => ({ endTimeUnixNano: randomNanos(random) })),
    attributes: times(random, 12, () => randomAttribute(random, 3)),
    ...maybe(random, 0.2, () => ({ droppedAttributesCount: random.below(300) })),
    events: times(random, 2, () => ({
      timeUnixNano: randomNanos(random),
      name: randomText(random),
      attributes: times(random, 2, () => randomAttribute(random, 1)),
    })),
    links: times(random, 2, () => ({
      traceId: random.bytes(16),
      spanId: random.bytes(8),
      attributes: times(random, 2, () => randomAttribute(random, 1)),
      flags: random.uint32(),
    })),
    ...maybe(random, 0.5, () => ({ status: { message: randomText(random), code: random.below(3) } })),
    ...maybe(random, 0.7, () => ({ flags: random.uint32() })),
  };
}

export function randomAttribute(random: SeededRandom, depth: number): ReferenceKeyValue {
  return { key: random.chance(0.05) ? randomText(random) : random.pick(KEYS), value: randomValue(random, depth) };
}

function randomResourceSpans(random: SeededRandom): ReferenceResourceSpans {
  return {
    ...maybe(random, 0.95, () => ({ resource: randomResource(random) })),
    scopeSpans: times(random, 3, () => randomScopeSpans(random)),
    ...maybe(random, 0.1, () => ({ librarySpans: [randomScopeSpans(random)] })),
    ...maybe(random, 0.3, () => ({ schemaUrl: random.pick(URLS) })),
  };
}

/** Few enough different ones that requests share them. */
function randomResource(random: SeededRandom) {
  const service = random.below(4);
  return {
    attributes: [
      { key: 'service.name', value: { stringValue: `service-${service}` } },
      { key: 'service.instance.id', value: { intValue: String(service) } },
    ],
    ...(service === 3 ? { droppedAttributesCount: 1 } : {}),
  };
}

function randomScopeSpans(random: SeededRandom): ReferenceScopeSpans {
  return {
    ...maybe(random, 0.9, () => ({ scope: { name: `scope-${random.below(3)}`, version: '1' } })),
    spans: times(random, 6, () => randomSpan(random)),
    ...maybe(random, 0.3, () => ({ schemaUrl: random.pick(URLS) })),
  };
}

function randomValue(random: SeededRandom, depth: number): ReferenceValue {
  switch (random.below(depth > 0 ? 8 : 5)) {
    case 0:
      return { boolValue: random.chance(0.5) };
    case 1:
      return { intValue: BigInt.asIntN(64, (BigInt(random.uint32()) << 32n) | BigInt(random.uint32())).toString() };
    case 2:
      return { doubleValue: random.pick([0, -0.5, 1e300, 3.25, Number.NaN, Number.NEGATIVE_INFINITY]) };
    case 3:
      return { bytesValue: random.bytes(random.below(20)) };
    case 5:
      return { arrayValue: { values: times(random, 4, () => randomValue(random, depth - 1)) } };
    case 6:
      return { kvlistValue: { values: times(random, 4, () => randomAttribute(random, depth - 1)) } };
    case 7:
      return {};
    default:
      return { stringValue: randomText(random) };
  }
}

function randomText(random: SeededRandom): string {
  const length = random.chance(0.05) ? random.below(400) : random.below(24);
  let text = '';
  for (let i = 0; i < length; i++) text += random.chance(0.9) ? random.pick(LETTERS) : random.pick(OTHERS);
  return text;
}

function randomNanos(random: SeededRandom): string {
  return ((BigInt(random.uint32()) << 32n) | BigInt(random.uint32())).toString();
}

function times<T>(random: SeededRandom, most: number, make: () => T): T[] {
  return Array.from({ length: random.below(most + 1) }, make);
}

function maybe<T extends object>(random: SeededRandom, probability: number, make: () => T): T | Record<string, never> {
  return random.chance(probability) ? make() : {};
}

const KEYS = ['http.route', 'http.response.status_code', 'db.system.name', 'net.peer', 'x', '', 'nested.value'];
const URLS = ['https://opentelemetry.io/schemas/1.37.0', 'https://opentelemetry.io/schemas/1.4.0'];
const LETTERS = [...'abcdefghij/._-0123456789'];
const OTHERS = ['ä', '→', '😀', '\n', '"', '\u0000'];
