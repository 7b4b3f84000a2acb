import type { AssembledTrace } from '../../../../lib/codec/records.ts';
import { ATTRIBUTES_OF, AttributeReader } from '../../../../lib/trace/attributes.ts';
import { scanOtlpRequest } from '../../../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../../../lib/trace/span-table.ts';
import { fitsAny, type SpanCondition } from './rules.ts';

/** Looks into the spans of traces for what rules ask. One is made for a set of rules and used for one trace at a time. */
export class TraceFacts {
  private readonly table = new SpanTable();
  private readonly keys: ReadonlyMap<string, number>;
  private readonly resource: AttributeReader<string>;
  private readonly span: AttributeReader<string>;
  private otlp: Buffer = EMPTY;
  private isScanned = false;

  /** @param conditions all that will be asked for. */
  constructor(conditions: readonly SpanCondition[]) {
    const keys = [...new Set([SERVICE, ...conditions.flatMap(({ attributes }) => attributes.map(({ key }) => key))])];
    this.keys = new Map(keys.map((key, i) => [key, i]));
    this.resource = new AttributeReader(keys);
    this.span = new AttributeReader(keys);
  }

  /** From now on, questions are about this trace. */
  of({ otlp }: Pick<AssembledTrace, 'otlp'>): void {
    this.otlp = otlp;
    this.isScanned = false;
  }

  /** Whether one span fits all of a condition. */
  hasSpan(condition: SpanCondition): boolean {
    const { table, otlp } = this;
    if (!this.isScanned && scanOtlpRequest(otlp, table) !== undefined) table.clear();
    this.isScanned = true;
    let context = -1;
    let isService = false;
    for (let row = 0; row < table.count; row++) {
      if (table.context[row] !== context) {
        context = table.context[row] as number;
        this.readResource(context);
        isService = fitsAny(this.resource.text(0), condition.services);
      }
      if (isService && this.isSpan(row, condition)) return true;
    }
    return false;
  }

  private isSpan(row: number, { operations, attributes }: SpanCondition): boolean {
    const { table, otlp } = this;
    const [start, end] = [table.nameStart[row] as number, table.nameEnd[row] as number];
    if (operations.length > 0 && !fitsAny(otlp.utf8Slice(start, end), operations)) return false;
    if (attributes.length === 0) return true;
    this.span.read(otlp, table.bodyStart[row] as number, table.bodyEnd[row] as number, ATTRIBUTES_OF.span);
    return attributes.every(({ key, values }) => {
      const index = this.keys.get(key) as number;
      const reader = this.span.has(index) ? this.span : this.resource;
      return reader.has(index) && fitsAny(reader.text(index), values);
    });
  }

  private readResource(context: number): void {
    const start = this.table.resourceStart[context] as number;
    this.resource.read(
      this.otlp,
      Math.max(0, start),
      start < 0 ? 0 : (this.table.resourceEnd[context] as number),
      ATTRIBUTES_OF.resource,
    );
  }
}

const SERVICE = 'service.name';
const EMPTY = Buffer.alloc(0);
