/** The part of a trace's time that is shown, in millionths of the whole, as the URL has it. */
export interface Zoom {
  readonly from: number;
  readonly to: number;
}

export const WHOLE = 1_000_000;
/** The smallest part: below it, positions are no longer exact. */
const PART_MIN = 20;

export const ALL: Zoom = { from: 0, to: WHOLE };

/** In order, in bounds, and not empty. */
export function zoomOf(from: number, to: number): Zoom {
  if (!Number.isFinite(from + to)) return ALL;
  const [low, high] = [Math.max(0, Math.min(from, to)), Math.min(WHOLE, Math.max(from, to))];
  if (high - low >= PART_MIN) return { from: Math.round(low), to: Math.round(high) };
  const start = Math.round(Math.max(0, Math.min(WHOLE - PART_MIN, (low + high - PART_MIN) / 2)));
  return { from: start, to: start + PART_MIN };
}

/** A part that holds a stretch (in millionths) with some room on both sides. */
export function zoomOn(from: number, to: number): Zoom {
  const room = Math.max((to - from) * 0.15, PART_MIN / 2);
  return zoomOf(from - room, to + room);
}

/** Twice as much, around the same middle. */
export function zoomOut({ from, to }: Zoom): Zoom {
  return zoomOf(from - (to - from) / 2, to + (to - from) / 2);
}

/** Where a stretch of the whole (0 to 1) lies in the part shown, as shares of its width; undefined: outside of it. */
export function inZoom({ from, to }: Zoom, start: number, end: number): { left: number; width: number } | undefined {
  const scale = WHOLE / (to - from);
  const [left, right] = [(start - from / WHOLE) * scale, (end - from / WHOLE) * scale];
  if (right < 0 || left > 1) return undefined;
  const cut = Math.max(0, left);
  return { left: cut, width: Math.min(1, right) - cut };
}
