import type { ZipkinEndpoint, ZipkinSpan } from './zipkin-span.ts';

/**
 * Puts the parts of each span together, and mends what reporters are known to leave out, as Zipkin does before it
 * builds a tree (rules A of Trace.merge in openzipkin/zipkin):
 * - Parts of one id and one shared flag are one span unless their services or addresses contradict each other.
 * - A SERVER span behind the CLIENT span of its id is shared, though not flagged.
 * - A shared span without a parent has its client's.
 */
export function mergeSpans(spans: readonly ZipkinSpan[]): ZipkinSpan[] {
  const sorted = [...spans].sort(compareForMerge);
  const merged: ZipkinSpan[] = [];
  for (let i = 0; i < sorted.length; ) {
    const span = { ...(sorted[i] as ZipkinSpan) };
    if (span.local !== undefined) span.local = { ...span.local };
    for (i++; i < sorted.length; i++) {
      const part = sorted[i] as ZipkinSpan;
      if (part.id !== span.id || part.shared !== span.shared || contradict(span.local, part.local)) break;
      addPart(span, part);
    }
    mend(span, merged.at(-1));
    merged.push(span);
  }
  return merged;
}

/** By id; then what is not shared, of that CLIENT first; then what names no endpoint, then by service and address. */
export function compareForMerge(left: ZipkinSpan, right: ZipkinSpan): number {
  return (
    compare(left.id, right.id) ||
    Number(left.shared) - Number(right.shared) ||
    (left.shared ? 0 : Number(right.kind === 'CLIENT') - Number(left.kind === 'CLIENT')) ||
    compareEndpoints(left.local, right.local)
  );
}

function addPart(span: ZipkinSpan, part: ZipkinSpan): void {
  span.parentId ??= part.parentId;
  span.kind ??= part.kind;
  span.error ||= part.error;
  if (span.remote < 0) span.remote = part.remote;
  if (part.local === undefined) return;
  if (span.local === undefined) {
    span.local = { ...part.local };
    return;
  }
  if (span.local.service < 0) Object.assign(span.local, { service: part.local.service, name: part.local.name });
  span.local.ipv4 ||= part.local.ipv4;
  span.local.ipv6 ||= part.local.ipv6;
  span.local.port ||= part.local.port;
}

function mend(span: ZipkinSpan, before: ZipkinSpan | undefined): void {
  if (before === undefined || before.id !== span.id) return;
  if (before.kind === 'CLIENT' && span.kind === 'SERVER') span.shared = true;
  if (span.shared) span.parentId ??= before.parentId;
}

function contradict(one: ZipkinEndpoint | undefined, other: ZipkinEndpoint | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return (
    differ(one.name, other.name) ||
    differ(one.ipv4, other.ipv4) ||
    differ(one.ipv6, other.ipv6) ||
    (one.port !== 0 && other.port !== 0 && one.port !== other.port)
  );
}

function differ(one: string, other: string): boolean {
  return one !== '' && other !== '' && one !== other;
}

function compareEndpoints(left: ZipkinEndpoint | undefined, right: ZipkinEndpoint | undefined): number {
  if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined);
  return emptyLast(left.name, right.name) || emptyLast(left.ipv4, right.ipv4) || emptyLast(left.ipv6, right.ipv6);
}

function emptyLast(left: string, right: string): number {
  if (left === '' || right === '') return Number(left === '') - Number(right === '');
  return compare(left, right);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
