import type { Range } from '../api-types.ts';

/** Counts are kept in windows of several lengths: long ranges are made of few rows, short ones are exact. */
export interface Level {
  readonly windowMs: number;
  /** How long windows of this length are kept, in event time before the newest. */
  readonly keptMs: number;
}

/** @param retentionMs of the longest windows. */
export function levelsOf(retentionMs: number): readonly Level[] {
  return [
    { windowMs: 10_000, keptMs: Math.min(retentionMs, 6 * HOUR_MS) },
    { windowMs: MINUTE_MS, keptMs: Math.min(retentionMs, 48 * HOUR_MS) },
    { windowMs: 10 * MINUTE_MS, keptMs: retentionMs },
    { windowMs: HOUR_MS, keptMs: retentionMs },
  ];
}

/** Windows `[from, to)` of one level, counted from 1970. */
export interface WindowSpan {
  readonly level: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The fewest windows that make up a range, and the range that they really cover: its ends move outward to the finest
 * windows that are still kept there.
 *
 * @param newestMs event time that retention counts from.
 */
export function coverRange(
  levels: readonly Level[],
  range: Range,
  newestMs: number,
): { spans: WindowSpan[]; range: Range } {
  const finest = levels.findIndex(({ keptMs }) => range.fromMs >= newestMs - keptMs);
  const base = finest < 0 ? levels.length - 1 : finest;
  const { windowMs } = levels[base] as Level;
  const fromMs = Math.floor(range.fromMs / windowMs) * windowMs;
  const toMs = Math.ceil(range.toMs / windowMs) * windowMs;
  const spans: WindowSpan[] = [];
  cover(levels, base, fromMs, toMs, spans);
  return { spans, range: { fromMs, toMs } };
}

/** The middle in longer windows, the ends in these. */
function cover(levels: readonly Level[], level: number, fromMs: number, toMs: number, spans: WindowSpan[]): void {
  if (fromMs >= toMs) return;
  const { windowMs } = levels[level] as Level;
  const longer = levels[level + 1]?.windowMs;
  const innerFrom = longer === undefined ? toMs : Math.ceil(fromMs / longer) * longer;
  const innerTo = longer === undefined ? toMs : Math.floor(toMs / longer) * longer;
  const add = (from: number, to: number): void => {
    if (from < to) spans.push({ level, from: from / windowMs, to: to / windowMs });
  };
  if (longer === undefined || innerFrom >= innerTo) {
    add(fromMs, toMs);
    return;
  }
  add(fromMs, innerFrom);
  cover(levels, level + 1, innerFrom, innerTo, spans);
  add(innerTo, toMs);
}

/** Length of the points of a series: the shortest that makes no more than `pointsMax`. */
export function stepOf(levels: readonly Level[], range: Range, newestMs: number, pointsMax: number): number {
  const fits = levels.findIndex(
    ({ windowMs, keptMs }) =>
      (range.toMs - range.fromMs) / windowMs <= pointsMax - 2 && range.fromMs >= newestMs - keptMs,
  );
  return fits < 0 ? levels.length - 1 : fits;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
