import type { TraceSummary } from './api-types.ts';

export interface Dot {
  readonly trace: TraceSummary;
  /** 0 to 1 from left to right and from bottom to top. */
  readonly x: number;
  readonly y: number;
  /** 0 to 1 for few to many spans. */
  readonly size: number;
}

export interface Scatter {
  readonly dots: readonly Dot[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Durations with a line of their own, and where. */
  readonly lines: readonly { readonly ms: number; readonly y: number }[];
}

/** Durations over time. The axis of durations is logarithmic: what hangs for 30 s must not press the rest to the floor. */
export function scatter(traces: readonly TraceSummary[]): Scatter {
  const starts = traces.map((trace) => trace.startMs);
  const durations = traces.map((trace) => Math.max(SHORTEST_MS, trace.durationMs));
  const [fromMs, toMs] = [Math.min(...starts), Math.max(...starts)];
  const [low, high] = [Math.log10(Math.min(...durations)) - 0.15, Math.log10(Math.max(...durations)) + 0.15];
  const y = (ms: number) => (Math.log10(Math.max(SHORTEST_MS, ms)) - low) / (high - low);
  const spansMax = Math.log2(1 + Math.max(1, ...traces.map((trace) => trace.spanCount)));
  const lines = DECADES_MS.filter((ms) => y(ms) > 0.02 && y(ms) < 0.98).map((ms) => ({ ms, y: y(ms) }));
  return {
    dots: traces.map((trace) => ({
      trace,
      x: toMs === fromMs ? 0.5 : (trace.startMs - fromMs) / (toMs - fromMs),
      y: y(trace.durationMs),
      size: Math.log2(1 + trace.spanCount) / spansMax,
    })),
    fromMs,
    toMs,
    lines:
      lines.length > 0
        ? lines
        : traces.length === 0
          ? []
          : [{ ms: Math.min(...durations), y: y(Math.min(...durations)) }],
  };
}

const SHORTEST_MS = 0.001;
const DECADES_MS = Array.from({ length: 10 }, (_, power) => 10 ** (power - 3));
