import type { SpanTree } from './span-tree.ts';

/** All spans of one service and operation. Times in microseconds. */
export interface OperationTimes {
  readonly service: string;
  readonly operation: string;
  spans: number;
  failed: number;
  totalUs: number;
  selfUs: number;
  onPathUs: number;
}

/** Per service and operation, most self time first. */
export function operationTimes(
  tree: SpanTree,
  self: Float64Array,
  pathUs: (row: number) => number = () => 0,
): OperationTimes[] {
  const byName = new Map<string, OperationTimes>();
  tree.spans.forEach((span, row) => {
    const key = nameKey(span);
    let times = byName.get(key);
    if (times === undefined) {
      times = { ...nameOf(span), spans: 0, failed: 0, totalUs: 0, selfUs: 0, onPathUs: 0 };
      byName.set(key, times);
    }
    times.spans++;
    times.failed += span.failed ? 1 : 0;
    times.totalUs += span.durationUs;
    times.selfUs += self[row] as number;
    times.onPathUs += pathUs(row);
  });
  return [...byName.values()].sort((a, b) => b.selfUs - a.selfUs || (nameKey(a) < nameKey(b) ? -1 : 1));
}

export interface OperationDifference {
  readonly service: string;
  readonly operation: string;
  /** Undefined: the trace has no such span. */
  readonly here: OperationTimes | undefined;
  readonly other: OperationTimes | undefined;
  /** Self time here minus there. */
  readonly moreUs: number;
}

/** Where two traces of one kind spend their time differently; the largest difference comes first, errors before equals. */
export function compareTimes(here: readonly OperationTimes[], other: readonly OperationTimes[]): OperationDifference[] {
  const there = new Map(other.map((times) => [nameKey(times), times]));
  const here2 = new Map(here.map((times) => [nameKey(times), times]));
  return [...new Set([...here2.keys(), ...there.keys()])]
    .map((key) => {
      const [mine, theirs] = [here2.get(key), there.get(key)];
      const name = nameOf((mine ?? theirs) as OperationTimes);
      return { ...name, here: mine, other: theirs, moreUs: (mine?.selfUs ?? 0) - (theirs?.selfUs ?? 0) };
    })
    .sort(
      (a, b) =>
        newErrors(b) - newErrors(a) || Math.abs(b.moreUs) - Math.abs(a.moreUs) || (nameKey(a) < nameKey(b) ? -1 : 1),
    );
}

/** The trace of the middle duration: what is usual, where an average would be what nobody met. */
export function typicalOf<T extends { readonly durationUs: number }>(traces: readonly T[]): T | undefined {
  const sorted = traces.toSorted((a, b) => a.durationUs - b.durationUs);
  return sorted[(sorted.length - 1) >> 1];
}

const newErrors = (difference: OperationDifference) =>
  (difference.here?.failed ?? 0) > 0 && (difference.other?.failed ?? 0) === 0 ? 1 : 0;

const nameKey = ({ service, operation }: { service: string; operation: string }) => `${service}\u0000${operation}`;
const nameOf = ({ service, operation }: { service: string; operation: string }) => ({ service, operation });
