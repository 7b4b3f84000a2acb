import { BundleBuilder } from '../../../lib/trace/otlp-bundle.ts';
import type { SpanTable } from '../../../lib/trace/span-table.ts';

export interface SplitRequest {
  readonly records: readonly Buffer[];
  /** Spans that do not fit into a record with their resource and scope, and are in none. */
  readonly tooLarge: number;
}

/**
 * A request as records that a topic takes: as it is when it is small enough, else by spans, each part with the resource
 * and scope of its spans.
 * @param table the request's spans, as scanned.
 */
export function splitRequest(request: Buffer, table: SpanTable, bytesMax: number): SplitRequest {
  if (request.length <= bytesMax) return { records: [request], tooLarge: 0 };
  const builder = new BundleBuilder(1, bytesMax);
  const source = builder.addSource(request);
  let tooLarge = 0;
  for (let row = 0; row < table.count; row++) {
    const context = table.context[row] as number;
    const resource = {
      body: part(request, table.resourceStart, table.resourceEnd, context),
      schemaUrl: part(request, table.resourceSchemaUrlStart, table.resourceSchemaUrlEnd, context),
    };
    const scope = {
      body: part(request, table.scopeStart, table.scopeEnd, context),
      schemaUrl: part(request, table.scopeSchemaUrlStart, table.scopeSchemaUrlEnd, context),
    };
    const start = table.fieldStart[row] as number;
    const end = table.bodyEnd[row] as number;
    const contextBytes = resource.body.length + resource.schemaUrl.length + scope.body.length + scope.schemaUrl.length;
    if (contextBytes + end - start + FRAME_BYTES > bytesMax) tooLarge++;
    else builder.add(0, builder.context(resource, scope), source, start, end);
  }
  return { records: builder.take().map(({ bytes }) => bytes), tooLarge };
}

function part(bytes: Buffer, starts: Int32Array, ends: Int32Array, row: number): Buffer {
  const start = starts[row] as number;
  return start < 0 ? EMPTY : bytes.subarray(start, ends[row]);
}

const EMPTY = Buffer.alloc(0);
/** Tags and lengths around a resource, a scope and their URLs. */
const FRAME_BYTES = 64;
