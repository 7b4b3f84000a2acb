/** @returns milliseconds since 1970, fractions cut off; undefined when it is no RFC 3339 time after 1970. */
export function rfc3339Ms(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i.test(text)) return undefined;
  const ms = Date.parse(text);
  return ms >= 0 ? Math.floor(ms) : undefined;
}
