import type { SourceName } from './core/api-types.ts';
import type { FoundRecords, TraceQuery } from './core/hot/search-store.ts';

/** One source of traces: what is hot, what is open, what is archived. */
export interface TraceReader {
  readonly source: SourceName;
  /**
   * All that it has of a trace; empty when it has nothing.
   * @param traceId 32 lower-case hex digits.
   * @throws SpanloomError when it cannot be asked; the answer then comes from the others.
   */
  read(traceId: string): Promise<readonly TracePart[]>;
  /** Absent where traces can only be asked for by id. @throws SpanloomError when it cannot be asked. */
  search?(query: TraceQuery): Promise<FoundRecords>;
}

/** Spans of one trace, from one record or window. */
export interface TracePart {
  readonly source: SourceName;
  /** 0 for a window that is still open. */
  readonly revision: number;
  /** Nothing of the trace can be missing before this revision. */
  readonly contextLost: boolean;
  /** An encoded OTLP request. */
  readonly otlp: Buffer;
}
