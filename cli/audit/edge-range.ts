import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import type { StageContext } from './context.ts';
import { judged } from './extent.ts';
import { readLog } from './read-log.ts';
import { type SourceRange, sourceRangeOf } from './source-range.ts';

/** Trace records whose deltas are compared: whole commits of the graph-builder, because a delta sums up one of them. */
export interface EdgeRange {
  readonly from: number;
  readonly to: number;
  /** First offset of the edges to read. */
  readonly edgesFrom: number;
  /** Offsets of traces that should be judged and cannot be. */
  readonly gap: number;
}

/** The commit that a delta is of; undefined when it is of none that reads `place`. */
export function commitsOf(record: LogRecord, place: string): SourceRange | undefined {
  const range = sourceRangeOf(record);
  return range?.place === place ? range : undefined;
}

/**
 * Where both sides are whole. Retention leaves the beginning of the edges inside of a commit, and takes earlier revisions
 * that the graph-builder still had before it; what was asked for by time begins and ends inside of commits.
 */
export async function rangeOf(
  { topics, extent, graph }: StageContext,
  partition: number,
  log: TimedLog,
  edgeLog: TimedLog,
  applied: number,
): Promise<EdgeRange> {
  const place = `${topics.traces}/${partition}`;
  const known = extent.outputFrom.get(`${topics.serviceEdges}/${partition}`);
  const wanted = known ?? 0;
  const [traces, edges] = [await log.bounds(), await edgeLog.bounds()];
  const range = judged(extent, place, traces.start, applied);
  const since = extent.outputSince?.get(`${topics.serviceEdges}/${partition}`) ?? 0;
  const edgesFrom = Math.max(wanted, edges.start, since);
  const isCut = edges.start > wanted || range.gap > 0;
  // A round begins where a commit ended, and knows where in the edges that was; a time does not.
  const isByTime = extent.to.has(place) || (extent.from.has(place) && known === undefined);
  if (!isCut && !isByTime) return { from: range.start, to: range.applied, edgesFrom, gap: 0 };

  const whole = await firstWithEarlier(log, traces, graph.GRAPH_HORIZON_MS);
  let from: number | undefined;
  let to = 0;
  let cut: number | undefined;
  for await (const records of readLog(edgeLog, edgesFrom, edges.end)) {
    for (const record of records) {
      const commit = commitsOf(record, place);
      if (commit === undefined) continue;
      // Of the first commit that is seen, some deltas may be gone.
      cut ??= edges.start > wanted ? commit.first : -1;
      if (commit.first === cut || commit.first < Math.max(range.start, whole) || commit.last >= range.applied) continue;
      from = Math.min(from ?? commit.first, commit.first);
      to = Math.max(to, commit.last + 1);
    }
  }
  const start = from ?? range.applied;
  const end = extent.to.has(place) ? to : range.applied;
  const gap = isCut ? Math.max(0, start - (extent.from.get(place) ?? 0)) : 0;
  return { from: start, to: Math.max(start, end), edgesFrom, gap };
}

/** The first offset from which every record's earlier revisions are still there. */
async function firstWithEarlier(log: TimedLog, { start, end }: { start: number; end: number }, horizonMs: number) {
  if (start === 0) return 0;
  for await (const records of readLog(log, start, end)) {
    const [first] = records;
    if (first !== undefined) return log.offsetAt(first.timestampMs + horizonMs);
  }
  return end;
}
