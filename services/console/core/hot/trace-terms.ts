import { ATTRIBUTES_OF } from '../../../../lib/trace/attributes.ts';
import { scanOtlpRequest } from '../../../../lib/trace/otlp-scan.ts';
import { resourceServiceName } from '../../../../lib/trace/service-name.ts';
import { SpanTable } from '../../../../lib/trace/span-table.ts';
import { addAttributeTerms } from './attribute-terms.ts';
import { finish, hashBytes, hashText, SEED, seedOfService, TERM } from './term-hash.ts';
import { TermSet } from './term-set.ts';

/** Called for each span. `term` is that of service and operation, the bytes are the UTF-8 of the operation. */
export type OnOperation = (
  service: string,
  kind: number,
  term: number,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

/** Reads the terms of one trace after the other. */
export class TraceTerms {
  readonly set = new TermSet(TERMS_PER_TRACE_MAX);
  private readonly table = new SpanTable();
  private readonly onOperation: OnOperation;

  constructor(onOperation: OnOperation) {
    this.onOperation = onOperation;
  }

  /** @returns false when the bytes are no OTLP request; then the set has the trace's id alone. */
  read(traceId: string, otlp: Buffer): boolean {
    const { set, table } = this;
    set.clear();
    set.add(TERM.traceId(traceId));
    if (scanOtlpRequest(otlp, table) !== undefined) return false;
    let context = -1;
    let service = '';
    let serviceSeed = 0;
    for (let row = 0; row < table.count; row++) {
      if (table.context[row] !== context) {
        context = table.context[row] as number;
        service = this.readContext(otlp, context);
        serviceSeed = seedOfService(service);
      }
      const nameStart = table.nameStart[row] as number;
      const nameEnd = table.nameEnd[row] as number;
      set.add(finish(hashBytes(SEED.operation, otlp, nameStart, nameEnd)));
      const term = finish(hashBytes(serviceSeed, otlp, nameStart, nameEnd));
      set.add(term);
      addAttributeTerms(set, otlp, table.bodyStart[row] as number, table.bodyEnd[row] as number, ATTRIBUTES_OF.span);
      this.onOperation(service, table.kind[row] as number, term, otlp, nameStart, nameEnd);
    }
    if (set.overflowed) {
      set.terms[set.count - 1] = TERM.overflow;
    }
    return true;
  }

  private readContext(otlp: Buffer, context: number): string {
    const start = this.table.resourceStart[context] as number;
    if (start < 0) {
      this.set.add(finish(SEED.service));
      return '';
    }
    const end = this.table.resourceEnd[context] as number;
    const service = resourceServiceName(otlp, start, end);
    this.set.add(finish(hashText(SEED.service, service)));
    addAttributeTerms(this.set, otlp, start, end, ATTRIBUTES_OF.resource);
    return service;
  }
}

/** A trace with more is found by whatever is asked of its attributes, and looked at. */
export const TERMS_PER_TRACE_MAX = 4096;
