import { SPAN_KIND } from '../../../lib/trace/span-table.ts';
import type { TraceSpans } from './trace-spans.ts';

/**
 * What a caller waited for in vain: the deepest span below `server` that covers at least half of the time that the
 * calling span lasted, or -1 when the server had ended by then, so that the wait is not to be blamed on it.
 *
 * Hosts' clocks differ: when the server seems to start outside of the call, its times are shifted to start with it.
 */
export function mainCause(spans: TraceSpans, client: number, server: number): number {
  const clientStart = startMicros(spans, client);
  const clientEnd = clientStart + spans.durationMicros(client);
  const serverStart = startMicros(spans, server);
  const isSkewed = serverStart < clientStart || serverStart > clientEnd;
  const shift = isSkewed ? clientStart - serverStart : 0;
  if (serverStart + shift + spans.durationMicros(server) <= clientEnd) return -1;

  const half = (clientEnd - clientStart) / 2;
  let cause = server;
  let looked = 0;
  for (;;) {
    let longest = -1;
    let longestOverlap = half;
    for (
      let child = spans.tree.firstChild[cause] as number;
      child >= 0;
      child = spans.tree.nextSibling[child] as number
    ) {
      if (++looked > SPANS_LOOKED_AT_MAX) return cause;
      // Nobody waits for a message to be consumed.
      if (spans.table.kind[child] === SPAN_KIND.consumer) continue;
      const start = startMicros(spans, child) + shift;
      const end = start + spans.durationMicros(child);
      const overlap = Math.min(end, clientEnd) - Math.max(start, clientStart);
      if (overlap >= longestOverlap) {
        longest = child;
        longestOverlap = overlap;
      }
    }
    if (longest < 0) return cause;
    cause = longest;
  }
}

const SPANS_LOOKED_AT_MAX = 100_000;

/** Microseconds with fraction, relative to nothing in particular: only differences within a trace are taken. */
function startMicros(spans: TraceSpans, row: number): number {
  return ((spans.table.startHi[row] as number) * 2 ** 32 + (spans.table.startLo[row] as number)) / 1000;
}
