import type { ServiceEdgeDelta } from '../../../../lib/codec/records.ts';
import { type OtlpOptions, otlp, type ResourceLiteral } from '../../../../lib/testkit/otlp-builder.ts';
import { DeltaTable } from '../delta-table.ts';
import { type NameLimits, NameTable } from '../name-table.ts';
import { SpanCounts } from '../span-counts.ts';
import { type GraphMode, TraceFold } from '../trace-fold.ts';

export const LIMITS: NameLimits = { services: 1000, operations: 10_000, operationsPerService: 500 };

/** A fold with all that it needs, for tests. */
export class LiteralFold {
  readonly names: NameTable;
  readonly deltas: DeltaTable;
  readonly spanCounts = new SpanCounts();
  readonly fold: TraceFold;
  private traces = 0;

  constructor(limits = LIMITS, mode: GraphMode = 'accurate') {
    this.names = new NameTable(limits, { lowerCaseServices: mode === 'zipkin' });
    this.deltas = new DeltaTable(this.names);
    this.fold = new TraceFold(this.names, this.deltas, this.spanCounts, { mode });
  }

  add(resources: readonly ResourceLiteral[], options: OtlpOptions & { sign?: 1 | -1 } = {}): this {
    const trace = options.trace ?? ++this.traces;
    const result = this.fold.fold(otlp(resources, { ...options, trace }), traceIdOf(trace), options.sign ?? 1);
    if (typeof result !== 'number') throw new Error(`The literal is no OTLP: ${result.reason}`);
    return this;
  }

  records(subject?: ServiceEdgeDelta['subject']): ServiceEdgeDelta[] {
    return this.deltas.records().filter((record) => subject === undefined || record.subject === subject);
  }

  /**
   * Edges in words, operations and windows summed up, sorted: `web → app 2 calls 1 error (database cache virtual)`.
   * One call goes unsaid, so do exact confidence and services as peers.
   */
  edges(): string[] {
    const edges = new Map<string, ServiceEdgeDelta>();
    for (const record of this.records('edge')) {
      const key = JSON.stringify([
        record.client,
        record.server,
        record.connectionType,
        record.peerKind,
        record.confidence,
      ]);
      const sum = edges.get(key) ?? { ...record, calls: 0, errors: 0, errors4xx: 0 };
      sum.calls += record.calls;
      sum.errors += record.errors;
      sum.errors4xx += record.errors4xx;
      edges.set(key, sum);
    }
    return [...edges.values()].map(describeEdge).sort();
  }
}

/** The edges of one literal trace in words. */
export function edgesOf(resources: readonly ResourceLiteral[]): string[] {
  return new LiteralFold().add(resources).edges();
}

export function traceIdOf(trace: number | string): string {
  return typeof trace === 'string' ? trace : trace.toString(16).padStart(32, '0');
}

function describeEdge(record: ServiceEdgeDelta): string {
  const { client, server, calls, errors, errors4xx, connectionType, peerKind, confidence } = record;
  const counts = [
    ...(calls === 1 ? [] : [` ${calls} calls`]),
    ...(errors === 0 ? [] : [` ${errors} error`]),
    ...(errors4xx === 0 ? [] : [` ${errors4xx} 4xx`]),
  ].join('');
  const words = [connectionType, peerKind === 'service' ? '' : peerKind, confidence === 'exact' ? '' : confidence];
  const said = words.filter((word) => word !== '').join(' ');
  return `${client} → ${server}${counts}${said === '' ? '' : ` (${said})`}`;
}
