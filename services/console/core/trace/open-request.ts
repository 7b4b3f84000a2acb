import { scanOtlpRequest } from '../../../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../../../lib/trace/span-table.ts';
import type { RunList } from '../../../../lib/trace/window-fragment.ts';
import { WireWriter } from '../../../../lib/trace/wire-writer.ts';

/**
 * The spans of an open window as an encoded OTLP request: a ResourceSpans for each run.
 *
 * @param contexts by id, each an encoded ResourceSpans without spans. Runs whose context is gone are left out.
 * @returns undefined when nothing is left.
 */
export function openRequest(runs: RunList, contexts: ReadonlyMap<number, Buffer>): Buffer | undefined {
  const out = new WireWriter(1024);
  const table = new SpanTable();
  let written = 0;
  for (let run = 0; run < runs.count; run++) {
    const skeleton = contexts.get(runs.context[run] as number);
    if (skeleton === undefined || scanOtlpRequest(skeleton, table) !== undefined || table.contextCount === 0) continue;
    const part = (start: Int32Array, end: Int32Array): Buffer | undefined =>
      (start[0] as number) < 0 ? undefined : skeleton.subarray(start[0], end[0]);
    const resource = part(table.resourceStart, table.resourceEnd);
    const scope = part(table.scopeStart, table.scopeEnd);
    const [start, end] = [runs.start[run] as number, runs.end[run] as number];
    const resourceSpans = out.begin(RESOURCE_SPANS, (resource?.length ?? 0) + (scope?.length ?? 0) + end - start + 16);
    if (resource !== undefined) out.bytesField(RESOURCE, resource);
    const scopeSpans = out.begin(SCOPE_SPANS, (scope?.length ?? 0) + end - start + 8);
    if (scope !== undefined) out.bytesField(SCOPE, scope);
    out.copy(runs.bytes[run] as Buffer, start, end);
    out.end(scopeSpans);
    out.end(resourceSpans);
    written++;
  }
  return written === 0 ? undefined : out.toBuffer();
}

const RESOURCE_SPANS = 0x0a;
const RESOURCE = 0x0a;
const SCOPE_SPANS = 0x12;
const SCOPE = 0x0a;
