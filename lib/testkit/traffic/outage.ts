/** When the database fails over. Times are virtual milliseconds since the traffic began. */
export interface OutageSchedule {
  readonly firstMs: number;
  readonly lengthMs: number;
  /** Start to start; undefined: it happens once. */
  readonly everyMs?: number;
}

/** The outage under way at `atMs`, else undefined. */
export function outageAt(
  schedule: OutageSchedule | undefined,
  atMs: number,
): { startMs: number; endMs: number } | undefined {
  if (schedule === undefined || atMs < schedule.firstMs) return undefined;
  const { firstMs, lengthMs, everyMs } = schedule;
  const round = everyMs === undefined ? 0 : Math.floor((atMs - firstMs) / everyMs);
  const startMs = firstMs + round * (everyMs ?? 0);
  return atMs < startMs + lengthMs ? { startMs, endMs: startMs + lengthMs } : undefined;
}
