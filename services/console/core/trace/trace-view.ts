import { scanOtlpRequest } from '../../../../lib/trace/otlp-scan.ts';
import { resourceServiceName } from '../../../../lib/trace/service-name.ts';
import { SPAN_KIND, SpanTable } from '../../../../lib/trace/span-table.ts';
import { durationNanos, startsBefore, TREE_FLAGS, TraceTree } from '../../../../lib/trace/trace-tree.ts';
import type { TracePart } from '../../ports.ts';
import {
  type ServiceShare,
  SPAN_KINDS,
  type Span,
  type SpanDetail,
  type SpanWarning,
  type Trace,
} from '../api-types.ts';
import { readResourceAttributes, readScope, readSpanDetail, readStatusMessage } from './span-detail.ts';

/**
 * A trace as a waterfall draws it, out of what the sources have of it. A span that several sources have is there once.
 *
 * @param detailsSpansMax of a trace with more spans than this, their details are left out.
 * @returns undefined when the parts hold no span of that trace.
 */
export function traceView(
  traceId: string,
  parts: readonly TracePart[],
  detailsSpansMax: number,
): Omit<Trace, 'notices'> | undefined {
  const rows = readRows(parts);
  if (rows.list.length === 0) return undefined;
  const { table, bytes } = rows;
  const startNs = rows.list.reduce((least, { row }) => min(least, nanos(table.startHi[row], table.startLo[row])), ALL);
  const withDetails = rows.list.length <= detailsSpansMax;
  const resources = readResources(bytes, table);
  const indexOf = new Int32Array(table.count).fill(-1);
  for (const [i, { row }] of rows.list.entries()) indexOf[row] = i;
  const spans = rows.list.map(({ row, parentRow, depth, warnings }): Span => {
    const context = table.context[row] as number;
    const bodyStart = table.bodyStart[row] as number;
    const bodyEnd = table.bodyEnd[row] as number;
    const resource = resources.ofContext[context] as number;
    return {
      spanId: hex(bytes, table.spanId[row], 8) ?? '',
      parentSpanId: hex(bytes, table.parentSpanId[row], 8),
      parent: parentRow < 0 ? -1 : (indexOf[parentRow] as number),
      depth,
      service: resources.list[resource]?.service ?? '',
      resource,
      operation: bytes.utf8Slice(table.nameStart[row], table.nameEnd[row]),
      kind: SPAN_KINDS[table.kind[row] as number] ?? 'unspecified',
      offsetNs: Number(nanos(table.startHi[row], table.startLo[row]) - startNs),
      durationNs: Math.max(0, durationNanos(table, row)),
      status: (['unset', 'ok', 'error'] as const)[table.statusCode[row] as number] ?? 'unset',
      statusMessage: table.statusCode[row] === STATUS_ERROR ? readStatusMessage(bytes, bodyStart, bodyEnd) : '',
      warnings,
      ...(withDetails ? { detail: detailOf(bytes, table, row, startNs) } : {}),
    };
  });
  const roots = spans.filter((span) => span.parent < 0 && !isUnplaced(span));
  const orphanCount = spans.filter(isUnplaced).length;
  const end = spans.reduce((latest, span) => Math.max(latest, span.offsetNs + span.durationNs), 0);
  return {
    traceId,
    startMs: Number(startNs / 1000n) / 1000,
    startNs: String(startNs),
    durationNs: end,
    rootService: roots[0]?.service ?? null,
    rootOperation: roots[0]?.operation ?? null,
    spanCount: spans.length,
    errorCount: spans.filter(({ status }) => status === 'error').length,
    orphanCount,
    services: sharesOf(spans),
    complete: roots.length === 1 && orphanCount === 0,
    open: parts.some(({ source }) => source === 'live'),
    sources: [...new Set(parts.map(({ source }) => source))],
    revisions: new Set(parts.filter(({ revision }) => revision > 0).map(({ revision }) => revision)).size,
    details: withDetails,
    resources: resources.list,
    spans,
  };
}

/** The details of one span of a view without them. */
export function spanDetail(parts: readonly TracePart[], spanId: string, index?: number): SpanDetail | undefined {
  const { bytes, table, list } = readRows(parts);
  const startNs = list.reduce((least, { row }) => min(least, nanos(table.startHi[row], table.startLo[row])), ALL);
  const isIt = (row: number): boolean => hex(bytes, table.spanId[row], 8) === spanId;
  const at = index === undefined ? undefined : list[index];
  const found = at !== undefined && isIt(at.row) ? at : list.find(({ row }) => isIt(row));
  return found === undefined ? undefined : detailOf(bytes, table, found.row, startNs);
}

interface Row {
  readonly row: number;
  readonly parentRow: number;
  readonly depth: number;
  readonly warnings: SpanWarning[];
}

interface Rows {
  readonly bytes: Buffer;
  readonly table: SpanTable;
  /** Depth first, children by start. */
  readonly list: Row[];
}

function readRows(parts: readonly TracePart[]): Rows {
  const table = new SpanTable();
  const bytes = Buffer.concat(parts.map(({ otlp }) => otlp));
  if (scanOtlpRequest(bytes, table) !== undefined) return { bytes, table, list: [] };
  const names = new Map<string, number>();
  const serviceOfContext = new Int32Array(table.contextCount);
  for (let context = 0; context < table.contextCount; context++) {
    const name = serviceOf(bytes, table, context);
    serviceOfContext[context] = names.get(name) ?? names.size;
    if (!names.has(name)) names.set(name, names.size);
  }
  const tree = new TraceTree();
  tree.build(bytes, table, serviceOfContext, names.get('') ?? -1);
  return { bytes, table, list: depthFirst(table, tree, copiesOf(parts, table, tree)) };
}

/** For each span, others of the same id, service and kind from the same source: two spans with one id. */
function copiesOf(parts: readonly TracePart[], table: SpanTable, tree: TraceTree): Map<number, number[]> {
  const copies = new Map<number, number[]>();
  const sourceOfRow = (row: number): string => {
    let end = 0;
    for (const { otlp, source } of parts) {
      end += otlp.length;
      if ((table.bodyStart[row] as number) < end) return source;
    }
    return '';
  };
  for (let row = 0; row < table.count; row++) {
    const original = tree.duplicateOf[row] as number;
    if (original < 0 || sourceOfRow(row) !== sourceOfRow(original)) continue;
    copies.set(original, [...(copies.get(original) ?? []), row]);
  }
  return copies;
}

function depthFirst(table: SpanTable, tree: TraceTree, copies: ReadonlyMap<number, readonly number[]>): Row[] {
  const list: Row[] = [];
  const byStart = (a: number, b: number): number =>
    startsBefore(table, a, b) ? -1 : startsBefore(table, b, a) ? 1 : a - b;
  const tops: number[] = [];
  for (let i = 0; i < tree.orderCount; i++) {
    const row = tree.order[i] as number;
    if ((tree.parent[row] as number) < 0) tops.push(row);
  }
  const stack = tops
    .sort(byStart)
    .reverse()
    .map((row) => ({ row, depth: 0 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { row, depth } = next;
    const parentRow = tree.parent[row] as number;
    const same = copies.get(row) ?? [];
    const warnings = warningsOf(table, tree, row, parentRow);
    list.push({ row, parentRow, depth, warnings: same.length > 0 ? [...warnings, 'duplicate_id'] : warnings });
    for (const copy of same) list.push({ row: copy, parentRow, depth, warnings: ['duplicate_id'] });
    const children: number[] = [];
    for (let child = tree.firstChild[row] as number; child >= 0; child = tree.nextSibling[child] as number) {
      children.push(child);
    }
    for (const child of children.sort(byStart).reverse()) stack.push({ row: child, depth: depth + 1 });
  }
  return list;
}

function warningsOf(table: SpanTable, tree: TraceTree, row: number, parentRow: number): SpanWarning[] {
  const warnings: SpanWarning[] = [];
  const flags = tree.flags[row] as number;
  if ((flags & TREE_FLAGS.orphan) !== 0) warnings.push('orphan');
  if ((flags & TREE_FLAGS.cut) !== 0) warnings.push('cycle');
  if (durationNanos(table, row) < 0) warnings.push('negative_duration');
  if (parentRow < 0) return warnings;
  if (startsBefore(table, row, parentRow)) warnings.push('before_parent');
  // Nobody waits for a consumer.
  const isWaitedFor = table.kind[row] !== SPAN_KIND.consumer && table.kind[parentRow] !== SPAN_KIND.producer;
  const end = nanos(table.endHi[row], table.endLo[row]);
  if (isWaitedFor && end > nanos(table.endHi[parentRow], table.endLo[parentRow])) warnings.push('after_parent');
  return warnings;
}

function readResources(bytes: Buffer, table: SpanTable) {
  const list: Trace['resources'] = [];
  const known = new Map<string, number>();
  const ofContext = new Int32Array(table.contextCount);
  for (let context = 0; context < table.contextCount; context++) {
    const start = Math.max(0, table.resourceStart[context] as number);
    const end = Math.max(0, table.resourceEnd[context] as number);
    const key = bytes.latin1Slice(start, end);
    let index = known.get(key);
    if (index === undefined) {
      index = list.length;
      known.set(key, index);
      list.push({ service: serviceOf(bytes, table, context), attributes: readResourceAttributes(bytes, start, end) });
    }
    ofContext[context] = index;
  }
  return { list, ofContext };
}

function detailOf(bytes: Buffer, table: SpanTable, row: number, startNs: bigint): SpanDetail {
  const context = table.context[row] as number;
  const scopeStart = Math.max(0, table.scopeStart[context] as number);
  const scopeEnd = Math.max(0, table.scopeEnd[context] as number);
  const detail = readSpanDetail(bytes, table.bodyStart[row] as number, table.bodyEnd[row] as number, startNs);
  return { ...detail, scope: readScope(bytes, scopeStart, scopeEnd) };
}

function serviceOf(bytes: Buffer, table: SpanTable, context: number): string {
  const start = table.resourceStart[context] as number;
  return start < 0 ? '' : resourceServiceName(bytes, start, table.resourceEnd[context] as number);
}

function sharesOf(spans: readonly Span[]): ServiceShare[] {
  const shares = new Map<string, ServiceShare>();
  for (const { service, status } of spans) {
    const share = shares.get(service) ?? { name: service, spanCount: 0, errorCount: 0 };
    share.spanCount++;
    if (status === 'error') share.errorCount++;
    shares.set(service, share);
  }
  return [...shares.values()].sort((a, b) => b.spanCount - a.spanCount || (a.name < b.name ? -1 : 1));
}

function isUnplaced(span: Span): boolean {
  return span.warnings.includes('orphan') || span.warnings.includes('cycle');
}

function nanos(hi: number | undefined, lo: number | undefined): bigint {
  return (BigInt(hi as number) << 32n) | BigInt(lo as number);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function hex(bytes: Buffer, at: number | undefined, length: number): string | null {
  return at === undefined || at < 0 ? null : bytes.toString('hex', at, at + length);
}

const ALL = 2n ** 64n;
const STATUS_ERROR = 2;
