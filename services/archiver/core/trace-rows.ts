import type { AssembledTrace } from '../../../lib/codec/records.ts';
import { BoolColumn, Int32Column, Int64Column, TextColumn } from './columns.ts';
import type { TableColumn } from './table.ts';

/** The rows of the traces dataset, one per trace record: small enough to search without touching spans. */
export class TraceRows {
  private readonly c = {
    trace_id: new TextColumn(),
    revision: new Int32Column(),
    start_time: new Int64Column(),
    duration_ns: new Int64Column(),
    root_service: new TextColumn(),
    root_operation: new TextColumn(),
    span_count: new Int32Column(),
    error_count: new Int32Column(),
    duplicate_count: new Int32Column(),
    complete: new BoolColumn(),
    incomplete_reasons: new TextColumn(),
    close_reason: new TextColumn(),
    services: new TextColumn(),
    spans_object: new TextColumn(),
  };

  get count(): number {
    return this.c.trace_id.count;
  }

  /** @param spansObject key of the object that holds its spans. */
  add(trace: AssembledTrace, spansObject: string): void {
    const { c } = this;
    c.trace_id.addText(trace.traceId);
    c.revision.add(trace.revision);
    c.start_time.add(trace.startTime);
    c.duration_ns.addBig(trace.durationNano);
    addNullable(c.root_service, trace.rootService);
    addNullable(c.root_operation, trace.rootOperation);
    c.span_count.add(trace.spanCount);
    c.error_count.add(trace.errorCount);
    c.duplicate_count.add(trace.duplicateCount);
    c.complete.add(trace.complete);
    addNullable(c.incomplete_reasons, trace.complete ? null : trace.incompleteReasons.join(','));
    c.close_reason.addText(trace.closeReason);
    c.services.addText(
      JSON.stringify(
        trace.services.map(({ service, spanCount, errorCount }) => ({ service, spans: spanCount, errors: errorCount })),
      ),
    );
    c.spans_object.addText(spansObject);
  }

  columns(): TableColumn[] {
    return Object.entries(this.c).map(([name, column]) => {
      if (column instanceof TextColumn) return { name, type: 'text', column };
      if (column instanceof Int32Column) return { name, type: 'int32', column };
      if (column instanceof BoolColumn) return { name, type: 'bool', column };
      return { name, type: name === 'start_time' ? 'timestamp' : 'int64', column };
    });
  }

  clear(): void {
    for (const column of Object.values(this.c)) column.clear();
  }
}

function addNullable(column: TextColumn, text: string | null): void {
  if (text === null) column.addNull();
  else column.addText(text);
}
