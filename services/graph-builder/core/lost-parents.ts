import { SPAN_KIND } from '../../../lib/trace/span-table.ts';
import type { Calls } from './calls.ts';
import type { TraceSpans } from './trace-spans.ts';

/**
 * Where subtrees belong whose top lost its parent, for the question of who failed because of whom: a span lost on its way
 * must not make a live peer look dead, nor the caller look like the origin of what its callee did.
 *
 * Such a subtree was called by the calling span that nothing answered and that names the subtree's service. Failing that,
 * a subtree that failed belongs to the failing, serving span that nothing below explains. Either must have been under way
 * when the subtree began; of several the one that took the least time. A consumer works for itself.
 *
 * @param top per row: the topmost row above.
 * @param failsBelow per row: something below it failed that it waited for.
 * @param parents filled anew: top of a subtree → row that it belongs to.
 */
export function findLostParents(
  spans: TraceSpans,
  calls: Calls,
  top: Int32Array,
  failsBelow: Uint8Array,
  parents: Map<number, number>,
): void {
  parents.clear();
  const { order, orderCount } = spans.tree;
  let looked = 0;
  for (let i = 0; i < orderCount; i++) {
    const orphan = order[i] as number;
    if (!spans.tree.isOrphan(orphan) || spans.table.kind[orphan] === SPAN_KIND.consumer) continue;
    let caller = -1;
    let server = -1;
    for (let j = 0; j < orderCount; j++) {
      if (++looked > PAIRS_LOOKED_AT_MAX) return;
      const row = order[j] as number;
      if (top[row] === orphan || !wasUnderWay(spans, row, orphan)) continue;
      if (isUnansweredCallOf(spans, calls, row, orphan)) caller = shorter(spans, caller, row);
      else if (isUnexplained(spans, failsBelow, row, orphan)) server = shorter(spans, server, row);
    }
    if (caller >= 0) parents.set(orphan, caller);
    else if (server >= 0 && (spans.failed(orphan) || failsBelow[orphan] !== 0)) parents.set(orphan, server);
  }
}

/** A trace of many orphans is not looked through to the end. */
const PAIRS_LOOKED_AT_MAX = 100_000;

function isUnansweredCallOf(spans: TraceSpans, calls: Calls, row: number, orphan: number): boolean {
  if ((calls.peerCall[row] as number) < 0 || (calls.servedBy[row] as number) >= 0) return false;
  return calls.peerService[row] === spans.service[orphan];
}

function isUnexplained(spans: TraceSpans, failsBelow: Uint8Array, row: number, orphan: number): boolean {
  return (
    spans.serves(row) && spans.failed(row) && failsBelow[row] === 0 && spans.service[row] !== spans.service[orphan]
  );
}

function wasUnderWay(spans: TraceSpans, row: number, orphan: number): boolean {
  const start = spans.startMicros(row);
  const at = spans.startMicros(orphan);
  return at >= start && at <= start + spans.durationMicros(row);
}

function shorter(spans: TraceSpans, known: number, row: number): number {
  return known < 0 || spans.durationMicros(row) < spans.durationMicros(known) ? row : known;
}
