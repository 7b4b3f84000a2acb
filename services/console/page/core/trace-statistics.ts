import { hasFailed, type SpanTree } from './span-tree.ts';

/** All spans of one service and operation. Times in nanoseconds. */
export interface OperationTimes {
  readonly service: string;
  readonly operation: string;
  spans: number;
  failed: number;
  totalNs: number;
  selfNs: number;
  onPathNs: number;
}

/** Per service and operation, most self time first. */
export function operationTimes(
  tree: SpanTree,
  self: Float64Array,
  path: Float64Array = new Float64Array(tree.spans.length),
): OperationTimes[] {
  const byName = new Map<string, OperationTimes>();
  tree.spans.forEach((span, row) => {
    const key = nameKey(span);
    let times = byName.get(key);
    if (times === undefined) {
      times = { ...nameOf(span), spans: 0, failed: 0, totalNs: 0, selfNs: 0, onPathNs: 0 };
      byName.set(key, times);
    }
    times.spans++;
    times.failed += hasFailed(span) ? 1 : 0;
    times.totalNs += span.durationNs;
    times.selfNs += self[row] as number;
    times.onPathNs += path[row] as number;
  });
  return [...byName.values()].sort((a, b) => b.selfNs - a.selfNs || (nameKey(a) < nameKey(b) ? -1 : 1));
}

export interface OperationDifference {
  readonly service: string;
  readonly operation: string;
  /** Undefined: the trace has no such span. */
  readonly here: OperationTimes | undefined;
  readonly other: OperationTimes | undefined;
  /** Self time here minus there. */
  readonly moreNs: number;
}

/** Where two traces of one kind spend their time differently; the largest difference comes first, errors before equals. */
export function compareTimes(here: readonly OperationTimes[], other: readonly OperationTimes[]): OperationDifference[] {
  const there = new Map(other.map((times) => [nameKey(times), times]));
  const here2 = new Map(here.map((times) => [nameKey(times), times]));
  return [...new Set([...here2.keys(), ...there.keys()])]
    .map((key) => {
      const [mine, theirs] = [here2.get(key), there.get(key)];
      const name = nameOf((mine ?? theirs) as OperationTimes);
      return { ...name, here: mine, other: theirs, moreNs: (mine?.selfNs ?? 0) - (theirs?.selfNs ?? 0) };
    })
    .sort(
      (a, b) =>
        newErrors(b) - newErrors(a) || Math.abs(b.moreNs) - Math.abs(a.moreNs) || (nameKey(a) < nameKey(b) ? -1 : 1),
    );
}

const newErrors = (difference: OperationDifference) =>
  (difference.here?.failed ?? 0) > 0 && (difference.other?.failed ?? 0) === 0 ? 1 : 0;

const nameKey = ({ service, operation }: { service: string; operation: string }) => `${service}\u0000${operation}`;
const nameOf = ({ service, operation }: { service: string; operation: string }) => ({ service, operation });
