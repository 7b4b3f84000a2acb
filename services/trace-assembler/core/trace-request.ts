import type { RunList } from '../../../lib/trace/window-fragment.ts';
import type { TraceRequest } from './assemble-trace.ts';
import type { SpanContext } from './contexts.ts';

/**
 * Writes runs of spans as one encoded OTLP ExportTraceServiceRequest: one ResourceSpans for each resource, one ScopeSpans
 * for each scope under it, the runs copied as they are, in the order in which they came.
 *
 * @returns `undefined` when a run names a context that is not known.
 */
export function writeTraceRequest(
  runs: RunList,
  contextOf: (id: number) => SpanContext | undefined,
): TraceRequest | undefined {
  const groups = groupByContext(runs, contextOf);
  if (groups === undefined) return undefined;
  let total = 0;
  for (let i = 0; i < groups.length; ) {
    const end = endOfResource(groups, i);
    total += fieldBytes(resourceSpansBytes(groups, i, end));
    i = end;
  }
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  for (let i = 0; i < groups.length; ) {
    const end = endOfResource(groups, i);
    at = writeHeader(out, at, TAG_RESOURCE_SPANS, resourceSpansBytes(groups, i, end));
    at = writeResourceSpans(out, at, groups, i, end, runs);
    i = end;
  }
  if (at !== total) throw new Error(`wrote ${at} of ${total} bytes of a trace`);
  return { bytes: out, contexts: groups.map((group) => group.context) };
}

/** A ResourceSpans without spans, for readers of open windows. */
export function contextSkeleton(context: SpanContext): Buffer {
  const group = [{ context, runs: [], spanBytes: 0 }];
  const length = resourceSpansBytes(group, 0, 1);
  const out = Buffer.allocUnsafe(fieldBytes(length));
  const at = writeHeader(out, 0, TAG_RESOURCE_SPANS, length);
  writeResourceSpans(out, at, group, 0, 1, undefined);
  return out;
}

interface ContextGroup {
  readonly context: SpanContext;
  /** Indexes of its runs. */
  readonly runs: number[];
  spanBytes: number;
}

/** Groups in order of first appearance, those of one resource together. */
function groupByContext(runs: RunList, contextOf: (id: number) => SpanContext | undefined): ContextGroup[] | undefined {
  const groups: ContextGroup[] = [];
  for (let run = 0; run < runs.count; run++) {
    const id = runs.context[run] as number;
    let group: ContextGroup | undefined;
    for (const known of groups) if (known.context.id === id) group = known;
    if (group === undefined) {
      const context = contextOf(id);
      if (context === undefined) return undefined;
      group = { context, runs: [], spanBytes: 0 };
      insertBesideItsResource(groups, group);
    }
    group.runs.push(run);
    group.spanBytes += (runs.end[run] as number) - (runs.start[run] as number);
  }
  return groups;
}

function insertBesideItsResource(groups: ContextGroup[], group: ContextGroup): void {
  for (let i = groups.length - 1; i >= 0; i--) {
    if ((groups[i] as ContextGroup).context.resourceId === group.context.resourceId) {
      groups.splice(i + 1, 0, group);
      return;
    }
  }
  groups.push(group);
}

function endOfResource(groups: readonly ContextGroup[], start: number): number {
  const { resourceId } = (groups[start] as ContextGroup).context;
  let end = start + 1;
  while (end < groups.length && (groups[end] as ContextGroup).context.resourceId === resourceId) end++;
  return end;
}

function resourceSpansBytes(groups: readonly ContextGroup[], start: number, end: number): number {
  const { context } = groups[start] as ContextGroup;
  let bytes = optionalBytes(context.resource) + optionalBytes(context.resourceSchemaUrl);
  for (let i = start; i < end; i++) bytes += fieldBytes(scopeSpansBytes(groups[i] as ContextGroup));
  return bytes;
}

function scopeSpansBytes(group: ContextGroup): number {
  return optionalBytes(group.context.scope) + group.spanBytes + optionalBytes(group.context.scopeSchemaUrl);
}

function writeResourceSpans(
  out: Buffer,
  start: number,
  groups: readonly ContextGroup[],
  from: number,
  to: number,
  runs: RunList | undefined,
): number {
  const { context } = groups[from] as ContextGroup;
  let at = writeOptional(out, start, TAG_RESOURCE, context.resource);
  for (let i = from; i < to; i++) {
    const group = groups[i] as ContextGroup;
    at = writeHeader(out, at, TAG_SCOPE_SPANS, scopeSpansBytes(group));
    at = writeOptional(out, at, TAG_SCOPE, group.context.scope);
    for (const run of group.runs) {
      if (runs !== undefined) at += (runs.bytes[run] as Buffer).copy(out, at, runs.start[run], runs.end[run]);
    }
    at = writeOptional(out, at, TAG_SCHEMA_URL, group.context.scopeSchemaUrl);
  }
  return writeOptional(out, at, TAG_SCHEMA_URL, context.resourceSchemaUrl);
}

function optionalBytes(body: Buffer | null): number {
  return body === null ? 0 : fieldBytes(body.length);
}

/** Tag (always one byte here), length and body. */
function fieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function writeOptional(out: Buffer, at: number, tag: number, body: Buffer | null): number {
  if (body === null) return at;
  const bodyAt = writeHeader(out, at, tag, body.length);
  return bodyAt + body.copy(out, bodyAt);
}

function writeHeader(out: Buffer, start: number, tag: number, length: number): number {
  let at = start;
  out[at++] = tag;
  let rest = length;
  while (rest >= 0x80) {
    out[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  out[at++] = rest;
  return at;
}

const TAG_RESOURCE_SPANS = 0x0a;
const TAG_RESOURCE = 0x0a;
const TAG_SCOPE_SPANS = 0x12;
const TAG_SCOPE = 0x0a;
const TAG_SCHEMA_URL = 0x1a;
