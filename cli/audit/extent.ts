/**
 * Which part of the logs an audit is about, by `topic/partition`. What is absent stands for all that is retained. A round
 * of `--follow` ends with the extent of the next one.
 */
export interface Extent {
  /** First offset of an input that is judged. */
  readonly from: ReadonlyMap<string, number>;
  /** One past the last; never more than what is committed. */
  readonly to: ReadonlyMap<string, number>;
  /** First offset of an output that must be read to find what those inputs became. */
  readonly outputFrom: ReadonlyMap<string, number>;
  /**
   * Of an output, the first offset that no round before has read. What stands there and is of an input that was judged
   * before is a copy.
   */
  readonly outputSeen: ReadonlyMap<string, number>;
  /**
   * Of an output, an offset before which nothing can be of those inputs: it was appended before they were. What stands there
   * and names offsets that are asked for is of a log that was since made anew.
   */
  readonly outputSince?: ReadonlyMap<string, number>;
}

export const EVERYTHING: Extent = {
  from: new Map(),
  to: new Map(),
  outputFrom: new Map(),
  outputSeen: new Map(),
};

/** An extent to be filled. */
export function newExtent() {
  return {
    from: new Map<string, number>(),
    to: new Map<string, number>(),
    outputFrom: new Map<string, number>(),
    outputSeen: new Map<string, number>(),
  };
}

export const STAGES = ['bundles', 'traces', 'edges', 'archive'] as const;
export type StageName = (typeof STAGES)[number];

export type Extents = Readonly<Record<StageName, Extent>>;

/** Offsets [start, applied) of an input of which `retained` on is left, and whether retention took some of it. */
export function judged(
  extent: Extent,
  place: string,
  retained: number,
  applied: number,
): { start: number; applied: number; gap: number } {
  const from = extent.from.get(place) ?? 0;
  const to = Math.min(applied, extent.to.get(place) ?? applied);
  const start = Math.max(from, retained);
  return { start, applied: Math.max(start, to), gap: Math.max(0, Math.min(retained, to) - from) };
}
