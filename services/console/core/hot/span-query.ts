import { ATTRIBUTES_OF, AttributeReader } from '../../../../lib/trace/attributes.ts';
import { scanOtlpRequest } from '../../../../lib/trace/otlp-scan.ts';
import { resourceServiceName } from '../../../../lib/trace/service-name.ts';
import { SpanTable } from '../../../../lib/trace/span-table.ts';

/** What one span must meet all of. */
export interface SpanQuery {
  readonly service?: string | undefined;
  readonly operation?: string | undefined;
  /** Of the span or its resource; values as text. */
  readonly attributes?: readonly (readonly [key: string, value: string])[];
}

/** Tells whether a trace has a span that meets the query. Made once for a search. */
export function spanMatcher(query: SpanQuery): (otlp: Buffer) => boolean {
  const { service, operation } = query;
  const wanted = new Map<string, string>();
  for (const [key, value] of query.attributes ?? []) {
    if ((wanted.get(key) ?? value) !== value) return () => false;
    wanted.set(key, value);
  }
  // The reader compares bytes; a key beyond ASCII is handed over as the bytes that it is.
  const keys = [...wanted.keys()].map((key) => Buffer.from(key).toString('latin1'));
  const values = [...wanted.values()];
  const ofSpan = new AttributeReader(keys);
  const ofResource = new AttributeReader(keys);
  const table = new SpanTable();

  const meets = (bytes: Buffer, row: number): boolean => {
    if (operation !== undefined && bytes.utf8Slice(table.nameStart[row], table.nameEnd[row]) !== operation)
      return false;
    if (keys.length === 0) return true;
    ofSpan.read(bytes, table.bodyStart[row] as number, table.bodyEnd[row] as number, ATTRIBUTES_OF.span);
    return values.every((value, i) =>
      ofSpan.has(i) ? ofSpan.text(i) === value : ofResource.has(i) && ofResource.text(i) === value,
    );
  };

  return (bytes) => {
    if (scanOtlpRequest(bytes, table) !== undefined) return false;
    let context = -1;
    let isService = false;
    for (let row = 0; row < table.count; row++) {
      if (table.context[row] !== context) {
        context = table.context[row] as number;
        const start = Math.max(0, table.resourceStart[context] as number);
        const end = Math.max(0, table.resourceEnd[context] as number);
        isService = service === undefined || resourceServiceName(bytes, start, end) === service;
        if (isService && keys.length > 0) ofResource.read(bytes, start, end, ATTRIBUTES_OF.resource);
      }
      if (isService && meets(bytes, row)) return true;
    }
    return false;
  };
}
