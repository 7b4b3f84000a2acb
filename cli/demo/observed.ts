import type { Incident } from '../../lib/codec/incident-records.ts';
import type { AssembledTrace, DeadLetter, ServiceEdgeDelta } from '../../lib/codec/records.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import { EdgeTally } from './edge-tally.ts';

/** What the derived topics said so far. */
export class Observed {
  readonly edges = new EdgeTally();
  /** Newest record of each incident. */
  readonly incidents = new Map<string, Incident>();
  /** Distinct keys. */
  readonly deadLetters = new Set<string>();
  /** How often each span stands in trace records; see `spanKey`. Empty unless spans are kept. */
  readonly spanCounts = new Map<string, number>();
  /** One sentence for each trace record that contradicts itself. */
  readonly contradictions: string[] = [];
  traceRecords = 0;
  spans = 0;
  private readonly traceIds = new Set<string>();
  private readonly completeTraceIds = new Set<string>();
  private traceCount = 0;
  private completeCount = 0;
  private readonly keepSpans: boolean;
  private readonly table = new SpanTable();

  /** @param keepSpans for a bounded run, whose spans are compared one by one; else only counts are kept. */
  constructor(keepSpans: boolean) {
    this.keepSpans = keepSpans;
  }

  get traces(): number {
    return this.keepSpans ? this.traceIds.size : this.traceCount;
  }

  /** Traces of which some revision had its root and every parent. */
  get completeTraces(): number {
    return this.keepSpans ? this.completeTraceIds.size : this.completeCount;
  }

  trace(trace: AssembledTrace): void {
    this.traceRecords++;
    this.spans += trace.spanCount;
    if (trace.revision === 1) this.traceCount++;
    if (trace.complete) this.completeCount++;
    if (!this.keepSpans) return;
    this.traceIds.add(trace.traceId);
    if (trace.complete) this.completeTraceIds.add(trace.traceId);
    this.countSpans(trace);
  }

  edge(delta: ServiceEdgeDelta): void {
    this.edges.add(delta);
  }

  incident(incident: Incident): void {
    const known = this.incidents.get(incident.incidentId);
    if (known === undefined || known.seq < incident.seq) this.incidents.set(incident.incidentId, incident);
  }

  deadLetter(letter: DeadLetter): void {
    this.deadLetters.add(`${letter.topic}/${letter.partition}/${letter.offset}/${letter.index ?? ''}`);
  }

  private countSpans(trace: AssembledTrace): void {
    const { otlp } = trace;
    const problem = scanOtlpRequest(otlp, this.table);
    if (problem !== undefined) {
      this.contradictions.push(`Trace ${trace.traceId} holds bytes that are no OTLP (${problem.reason})`);
      return;
    }
    if (this.table.count !== trace.spanCount) {
      this.contradictions.push(`Trace ${trace.traceId} says ${trace.spanCount} spans and holds ${this.table.count}`);
    }
    for (let row = 0; row < this.table.count; row++) {
      const traceId = hexAt(otlp, this.table.traceId[row] as number, 16);
      if (traceId !== trace.traceId) {
        this.contradictions.push(`Trace ${trace.traceId} holds a span of trace ${traceId}`);
      }
      const key = spanKey(traceId, hexAt(otlp, this.table.spanId[row] as number, 8));
      this.spanCounts.set(key, (this.spanCounts.get(key) ?? 0) + 1);
    }
  }
}

/** Names a span among all: trace id and span id in hex. */
export function spanKey(traceId: string, spanId: string): string {
  return `${traceId}/${spanId}`;
}

function hexAt(bytes: Buffer, start: number, length: number): string {
  return bytes.toString('hex', start, start + length);
}
