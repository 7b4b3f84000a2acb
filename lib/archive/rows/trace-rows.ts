import type { AssembledTrace } from '../../codec/records.ts';
import { BoolColumn, Int32Column, Int64Column } from '../../parquet/number-columns.ts';
import { TextColumn } from '../../parquet/text-column.ts';
import type { ParquetColumn } from '../../parquet/types.ts';
import { WordColumn } from '../../parquet/word-column.ts';
import { ARCHIVE_SCHEMA } from '../schema.ts';

/** The rows of the traces dataset, one per trace record: small enough to search without touching spans. */
export class TraceRows {
  private readonly c = {
    trace_id: new TextColumn(),
    revision: new Int32Column(),
    start_time: new Int64Column(),
    duration_ns: new Int64Column(),
    root_service: new WordColumn(),
    root_operation: new WordColumn(),
    span_count: new Int32Column(),
    error_count: new Int32Column(),
    duplicate_count: new Int32Column(),
    complete: new BoolColumn(),
    incomplete_reasons: new WordColumn(),
    close_reason: new WordColumn(),
    // With their counts they hardly ever are the same.
    services: new TextColumn(),
    spans_object: new WordColumn(),
  };

  /** Names of services as JSON. */
  private readonly quoted = new Map<string, string>();

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
    c.services.addText(this.servicesText(trace));
    c.spans_object.addText(spansObject);
  }

  private servicesText({ services }: AssembledTrace): string {
    const each = services.map(({ service, spanCount, errorCount }) => {
      const name = this.quoted.get(service) ?? JSON.stringify(service);
      this.quoted.set(service, name);
      return `{"service":${name},"spans":${spanCount},"errors":${errorCount}}`;
    });
    return `[${each.join(',')}]`;
  }

  columns(): ParquetColumn[] {
    return ARCHIVE_SCHEMA.traces.map(({ name, type }) => ({ name, type, column: this.c[name as keyof typeof this.c] }));
  }

  clear(): void {
    for (const column of Object.values(this.c)) column.clear();
    this.quoted.clear();
  }
}

function addNullable(column: WordColumn, text: string | null): void {
  if (text === null) column.addNull();
  else column.addText(text);
}
