import { otlp } from '../../../../lib/testkit/otlp-builder.ts';
import { NameTable, UNKNOWN_SERVICE } from '../name-table.ts';
import { ServiceFacts } from '../service-facts.ts';
import type { GraphMode } from '../trace-fold.ts';
import { TraceSpans } from '../trace-spans.ts';
import { mergeSpans } from '../zipkin/merge-spans.ts';
import { ZipkinSpanReader } from '../zipkin/zipkin-span.ts';
import { buildZipkinTree, type ZipkinNode } from '../zipkin/zipkin-tree.ts';
import { LIMITS } from './fold-literal.ts';
import { toOtlp, type ZipkinLiteral } from './zipkin-literal.ts';

/**
 * The tree of a trace in words: `a:web(b:web(b:app))` is id and service, children in brackets; what has no known parent
 * hangs under `?`. Zipkin's children are in their order, ours by name: their order means nothing.
 */
export function treeOf(trace: readonly ZipkinLiteral[], mode: GraphMode): string {
  const names = new NameTable(LIMITS);
  const spans = new TraceSpans(names, new ServiceFacts(), 'team');
  const problem = spans.load(otlp(toOtlp(trace)));
  if (problem !== undefined) throw new Error(problem.reason);
  return mode === 'zipkin' ? zipkinText(spans, names) : accurateText(spans, names);
}

function zipkinText(spans: TraceSpans, names: NameTable): string {
  const describe = ({ span, children }: ZipkinNode): string => {
    const label = span === undefined ? '?' : labelOf(span.id, span.local?.name ?? '');
    return `${label}${inBrackets(children.map(describe))}`;
  };
  return describe(buildZipkinTree(mergeSpans(new ZipkinSpanReader(names).read(spans))));
}

function accurateText({ tree, table, bytes, service }: TraceSpans, names: NameTable): string {
  const describe = (row: number): string => {
    const children: string[] = [];
    for (let child = tree.firstChild[row] as number; child >= 0; child = tree.nextSibling[child] as number) {
      children.push(describe(child));
    }
    const at = table.spanId[row] as number;
    const name = names.serviceName(service[row] as number);
    return `${labelOf(bytes.hexSlice(at, at + 8), name)}${inBrackets(children.sort())}`;
  };
  const tops = [...tree.order.subarray(0, tree.orderCount)].filter((row) => (tree.parent[row] as number) < 0);
  const roots = tops.filter((row) => !tree.isOrphan(row)).map(describe);
  const orphans = tops.filter((row) => tree.isOrphan(row)).map(describe);
  return [...roots.sort(), ...(orphans.length === 0 ? [] : [`?${inBrackets(orphans.sort())}`])].join(' ');
}

function labelOf(id: string, service: string): string {
  const short = id.replace(/^0+/, '');
  return service === '' || service === UNKNOWN_SERVICE ? short : `${short}:${service}`;
}

function inBrackets(parts: readonly string[]): string {
  return parts.length === 0 ? '' : `(${parts.join(' ')})`;
}
