/**
 * Trace ids as clients of Jaeger and Zipkin write them: either case, leading zeros left out, 64 bits alone.
 *
 * @returns 32 lower-case hexadecimal digits; undefined when it is no id.
 */
export function wholeTraceId(text: string): string | undefined {
  if (!SHAPE.test(text)) return undefined;
  const id = text.toLowerCase().padStart(32, '0');
  return id === NONE ? undefined : id;
}

/** 16 digits when the upper 64 bits are zero, as Jaeger and Zipkin show an id of 64 bits. */
export function shortTraceId(traceId: string): string {
  return traceId.startsWith(NO_UPPER_HALF) ? traceId.slice(16) : traceId;
}

const SHAPE = /^[0-9a-f]{1,32}$/i;
const NONE = '0'.repeat(32);
const NO_UPPER_HALF = '0'.repeat(16);
