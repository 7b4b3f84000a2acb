import type { ZipkinSpan } from './zipkin-span.ts';

/** A span in the tree; without a span: the root that is missing. */
export interface ZipkinNode {
  readonly span: ZipkinSpan | undefined;
  parent: ZipkinNode | undefined;
  /** By start. */
  children: ZipkinNode[];
}

/**
 * The tree of merged spans as Zipkin builds it (rules B of SpanNode in openzipkin/zipkin):
 * - A shared span is known by its id and its endpoint, any other by its id; a shared span is its client's child.
 * - A child hangs under the shared span of its parent's id on its own endpoint, else under the parent's id.
 * - The first span without a parent is the root. Others, and spans whose parent is missing, hang under it; without any,
 *   under an empty node. Spans of a cycle hang nowhere.
 */
export function buildZipkinTree(spans: readonly ZipkinSpan[]): ZipkinNode {
  const parentKeys = new Map<string, string | undefined>();
  const nodes = new Map<string, ZipkinNode>();
  for (const span of spans) parentKeys.set(keyOf(span), span.shared ? span.id : span.parentId);
  let root: ZipkinNode | undefined;
  for (const span of spans) {
    const node: ZipkinNode = { span, parent: undefined, children: [] };
    const key = keyOf(span);
    if (span.shared) {
      nodes.set(key, node);
      nodes.set(sharedKey(span.id, undefined), node);
    } else if (span.parentId === undefined && root === undefined) {
      root = node;
      // Known by its id as well, so that its children find it.
      nodes.set(key, node);
      parentKeys.delete(key);
    } else {
      nodes.set(key, node);
      const sameHost = span.parentId === undefined ? undefined : sharedKey(span.parentId, span.local);
      if (sameHost !== undefined && parentKeys.has(sameHost)) parentKeys.set(key, sameHost);
    }
  }
  const top = root ?? { span: undefined, parent: undefined, children: [] };
  for (const [key, parentKey] of parentKeys) {
    const node = nodes.get(key) as ZipkinNode;
    const parent = (parentKey === undefined ? undefined : nodes.get(parentKey)) ?? top;
    if (node === parent) continue;
    node.parent = parent;
    parent.children.push(node);
  }
  for (const node of breadthFirst(top)) node.children.sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));
  return top;
}

/** The node and all below it, level by level. */
export function breadthFirst(top: ZipkinNode): ZipkinNode[] {
  const queue = [top];
  for (let at = 0; at < queue.length; at++) for (const child of (queue[at] as ZipkinNode).children) queue.push(child);
  return queue;
}

function keyOf(span: ZipkinSpan): string {
  return span.shared ? sharedKey(span.id, span.local) : span.id;
}

/** No id looks like this: ids are hex. */
function sharedKey(id: string, endpoint: ZipkinSpan['local']): string {
  if (endpoint === undefined) return `${id} shared`;
  return `${id} shared ${JSON.stringify([endpoint.name, endpoint.ipv4, endpoint.ipv6, endpoint.port])}`;
}
