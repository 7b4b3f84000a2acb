/** Microseconds since 1970 of what is `offsetNs` after a trace's start. */
export function microsAt(traceStartNs: string, offsetNs: number): number {
  return Number((BigInt(traceStartNs) + BigInt(offsetNs)) / 1000n);
}
