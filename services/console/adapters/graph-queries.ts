import type { Graph, Notice, Range, Series, SeriesPoint } from '../core/api-types.ts';
import { type Counted, EDGES_MAX, graphView } from '../core/graph/graph-view.ts';
import type { Subject } from '../core/graph/subject.ts';
import { Tally } from '../core/graph/tally.ts';
import { coverRange, type Level, stepOf } from '../core/graph/windows.ts';
import type { GraphStore } from './graph-store.ts';

export interface SeriesOf {
  readonly service?: string | undefined;
  readonly client?: string | undefined;
  readonly server?: string | undefined;
  readonly connectionType?: string | undefined;
}

/** Questions about the graph of a range. */
export class GraphQueries {
  private readonly store: GraphStore;
  private readonly teamOf: (service: string) => string | null;

  constructor(store: GraphStore, teamOf: (service: string) => string | null) {
    this.store = store;
    this.teamOf = teamOf;
  }

  /** @param baseline to compare with; undefined: what is known of the 24 hours before. */
  graph(asked: Range, baseline: Range | undefined): Graph {
    const { store } = this;
    const { held } = store;
    const notices: Notice[] = [];
    const now = this.count(bounded(asked, held, notices));
    const usual = baseline ?? automaticBaseline(now.range, held);
    const before = usual === null ? null : this.count(bounded(usual, held, baseline === undefined ? [] : notices));
    const { nodes, edges, cutOff } = graphView(now, before, this.teamOf);
    if (cutOff > 0) {
      const message = `The ${EDGES_MAX} busiest edges are shown; ${cutOff} more were called.`;
      notices.push({ code: 'cut_off', source: 'graph', message });
    }
    return { range: now.range, baseline: before?.range ?? null, held, nodes, edges, notices };
  }

  /** How often one called another, whatever kind of connection it was; busiest first. */
  calls(asked: Range): { client: string; server: string; calls: number; errors: number }[] {
    const edges = new Map<string, { client: string; server: string; calls: number; errors: number }>();
    for (const { subject, tally } of this.count(bounded(asked, this.store.held, [])).subjects) {
      if (subject.kind !== 'edge') continue;
      const { client, server } = subject;
      const key = `${client}\0${server}`;
      const edge = edges.get(key) ?? { client, server, calls: 0, errors: 0 };
      edge.calls += tally.calls;
      edge.errors += tally.errors;
      edges.set(key, edge);
    }
    return [...edges.values()].filter(({ calls }) => calls > 0).sort((a, b) => b.calls - a.calls);
  }

  series(asked: Range, subject: SeriesOf): Series {
    const { store } = this;
    const of = this.countedFor(subject);
    const { levels, newestMs } = store;
    const notices: Notice[] = [];
    const range = bounded(asked, store.held, notices);
    const level = stepOf(levels, range, newestMs, POINTS_MAX);
    const { windowMs } = levels[level] as Level;
    // Of the longest windows no more than fit: the newest.
    const to = Math.ceil(range.toMs / windowMs);
    const from = Math.max(Math.floor(range.fromMs / windowMs), to - POINTS_MAX);
    const effective = { fromMs: from * windowMs, toMs: to * windowMs };
    if (effective.fromMs > range.fromMs) notices.push(boundedTo(effective));
    const isWanted = subjectFilter(of);
    const kind = of.service === undefined ? 'edge' : 'service';
    const byWindow = store.overTime({ level, from, to }, [kind], isWanted);
    const total = new Tally();
    const points: SeriesPoint[] = [];
    for (let w = from; w < to; w++) {
      const tally = byWindow.get(w) ?? new Tally();
      total.add(tally.calls, tally.errors, tally.histogram.sparse());
      const calls = Math.max(0, tally.calls);
      const errors = Math.min(calls, Math.max(0, tally.errors));
      points.push({ atMs: w * windowMs, calls, errors, ...tally.durations() });
    }
    const lengthMs = effective.toMs - effective.fromMs;
    return {
      range: effective,
      stepMs: windowMs,
      points,
      total: total.stats(lengthMs),
      operations: this.operations(effective, of, isWanted),
      exemplars: store.exemplars(effective, (subject) => subject.kind === kind && isWanted(subject), EXEMPLARS_MAX),
      notices,
    };
  }

  /** Databases and others that send no spans are what is called of them, as in the graph. */
  private countedFor(subject: SeriesOf): SeriesOf {
    const { service } = subject;
    return service === undefined || this.store.hasService(service) ? subject : { server: service };
  }

  private operations(range: Range, of: SeriesOf, isWanted: (subject: Subject) => boolean): Series['operations'] {
    const { spans } = coverRange(this.store.levels, range, this.store.newestMs);
    const sums = this.store.sum(spans, [of.service === undefined ? 'edge_operation' : 'entry'], isWanted);
    const byName = new Map<string, Tally>();
    for (const { subject, tally } of sums) {
      const sum = byName.get(subject.operation) ?? new Tally();
      sum.add(tally.calls, tally.errors, tally.histogram.sparse());
      byName.set(subject.operation, sum);
    }
    return [...byName]
      .map(([operation, tally]) => ({ operation, stats: tally.stats(range.toMs - range.fromMs) }))
      .filter(({ stats }) => stats.calls > 0)
      .sort((a, b) => b.stats.errors - a.stats.errors || b.stats.calls - a.stats.calls)
      .slice(0, OPERATIONS_MAX);
  }

  private count(asked: Range): Counted {
    const { spans, range } = coverRange(this.store.levels, asked, this.store.newestMs);
    return { range, subjects: this.store.sum(spans, ['edge', 'service']) };
  }
}

function automaticBaseline(range: Range, held: Range | null): Range | null {
  if (held === null || held.fromMs >= range.fromMs) return null;
  return { fromMs: Math.max(held.fromMs, range.fromMs - DAY_MS), toMs: range.fromMs };
}

/** Inside of what is held. */
function bounded(asked: Range, held: Range | null, notices: Notice[]): Range {
  if (held === null || asked.fromMs >= held.fromMs - HOUR_MS) return asked;
  const range = { fromMs: Math.min(held.fromMs, asked.toMs), toMs: asked.toMs };
  notices.push(boundedTo(range));
  return range;
}

function boundedTo({ fromMs }: Range): Notice {
  const message = `Counts are shown from ${new Date(fromMs).toISOString()} on; there are none of that detail from before.`;
  return { code: 'range_bounded', source: 'graph', message };
}

function subjectFilter({ service, client, server, connectionType }: SeriesOf): (subject: Subject) => boolean {
  if (service !== undefined) return (subject) => subject.server === service && subject.client === '';
  return (subject) =>
    (client === undefined || subject.client === client) &&
    (server === undefined || subject.server === server) &&
    (connectionType === undefined || subject.connectionType === connectionType);
}

const POINTS_MAX = 400;
const EXEMPLARS_MAX = 30;
const OPERATIONS_MAX = 50;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
