import type { FailingTrace, SlowCall, SlowTrace } from '../../../lib/codec/records.ts';
import type { LatencyTable } from './latency-table.ts';
import { boundedName, subjectKey } from './subject.ts';

/**
 * Where the time of a slow trace went beyond what is usual: from the entry along the calls that account for at least
 * half of the overrun, down to the deepest. Each is measured against what half of its edge's calls take. Undefined when
 * the trace took no longer than requests to the entry do.
 *
 * The called one is to blame, or the way to it when at least half of the overrun lies between the caller's clock and
 * the callee's. In the form of a failing trace, so that evidence, cause and paths are worked out as those of errors.
 */
export function blameSlowTrace(
  service: string,
  operation: string,
  trace: SlowTrace,
  latency: LatencyTable,
): FailingTrace | undefined {
  const row = latency.rowOf(subjectKey('entry', '', service, operation));
  const limit = row === undefined ? undefined : latency.slowerThanMicros(row);
  if (row === undefined || limit === undefined || trace.durationMicros <= limit) return undefined;
  const share = (trace.durationMicros - (latency.usualMicros(row) ?? 0)) / 2;
  const path = [service];
  let blamed: SlowCall | undefined;
  for (;;) {
    const next = slowestFrom(path.at(-1) as string, path, trace.calls, share, latency);
    if (next === undefined) break;
    blamed = next;
    path.push(boundedName(next.server));
  }
  const isBetween =
    blamed !== undefined && blamed.serverMicros > 0 && blamed.clientMicros - blamed.serverMicros >= share;
  return {
    traceId: trace.traceId,
    sign: 1,
    userVisible: true,
    startTime: trace.startTime,
    origins: [
      {
        service: blamed?.server ?? service,
        operation: blamed?.operation ?? operation,
        caller: blamed?.client ?? '',
        class: isBetween ? SLOW_EDGE : SLOW,
        peerKind: blamed?.peerKind ?? 'service',
        weight: 1,
        masked: false,
        spanId: trace.spanId,
        version: '',
        signature: '',
        path: [],
      },
    ],
    path,
  };
}

/** Classes of origins that are slow instead of failing. */
export const SLOW = 'slow';
export const SLOW_EDGE = 'slow_edge';

export function isSlowClass(originClass: string | undefined): boolean {
  return originClass === SLOW || originClass === SLOW_EDGE;
}

function slowestFrom(
  client: string,
  seen: readonly string[],
  calls: readonly SlowCall[],
  overrunMin: number,
  latency: LatencyTable,
): SlowCall | undefined {
  let slowest: SlowCall | undefined;
  let most = overrunMin;
  for (const call of calls) {
    if (boundedName(call.client) !== client || seen.includes(boundedName(call.server))) continue;
    const row = latency.rowOf(subjectKey('edge', client, boundedName(call.server), ''));
    const usual = row === undefined ? 0 : (latency.usualMicros(row) ?? 0);
    const overrun = call.clientMicros - call.calls * usual;
    if (overrun < most) continue;
    most = overrun;
    slowest = call;
  }
  return slowest;
}
