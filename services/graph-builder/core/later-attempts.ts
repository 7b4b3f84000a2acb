import { startsBefore } from '../../../lib/trace/trace-tree.ts';
import type { Calls } from './calls.ts';
import { OUTCOME } from './span-attributes.ts';
import type { TraceSpans } from './trace-spans.ts';

/** Did the last of the attempts of a failed call, begun after this one had ended, go well? */
export function wentWellLater(spans: TraceSpans, calls: Calls, row: number): boolean {
  const { table, tree, outcome } = spans;
  const parent = tree.parent[row] as number;
  if (parent < 0 || ((outcome[row] as number) & OUTCOME.failed) === 0) return false;
  const callee = calleeOf(spans, calls, row);
  let last = row;
  let looked = 0;
  for (let other = tree.firstChild[parent] as number; other >= 0; other = tree.nextSibling[other] as number) {
    if (++looked > SIBLINGS_MAX) break;
    if (table.kind[other] !== table.kind[row] || !spans.hasSameOperation(other, row)) continue;
    if (calleeOf(spans, calls, other) === callee && !startsBefore(table, other, last)) last = other;
  }
  return last !== row && !spans.failed(last) && startsAfterEnd(spans, last, row);
}

/** A span with more children than this is not searched to the end for later attempts. */
const SIBLINGS_MAX = 1000;

function calleeOf(spans: TraceSpans, calls: Calls, row: number): number {
  const server = calls.servedBy[row] as number;
  if (server >= 0) return spans.service[server] as number;
  return (calls.peerCall[row] as number) < 0 ? -1 : (calls.peerService[row] as number);
}

function startsAfterEnd({ table }: TraceSpans, row: number, other: number): boolean {
  const { startHi, startLo, endHi, endLo } = table;
  const hi = (startHi[row] as number) - (endHi[other] as number);
  return hi !== 0 ? hi > 0 : (startLo[row] as number) >= (endLo[other] as number);
}
