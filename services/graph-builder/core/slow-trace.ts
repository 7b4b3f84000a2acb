import type { SlowCall, SlowTrace } from '../../../lib/codec/records.ts';
import type { Calls } from './calls.ts';
import { CONNECTION, connectionOf, peerKindOf } from './edge-kinds.ts';
import { type NameTable, SERVICES_MAX } from './name-table.ts';
import type { TraceSpans } from './trace-spans.ts';

/**
 * Where the time of a trace went: per client and server the sum of its calls that were waited for. Whoever knows what
 * is usual for each edge can follow the overrun down to where it began. Nobody waits for messages, so they are left out.
 */
export function slowTraceOf(
  spans: TraceSpans,
  calls: Calls,
  names: NameTable,
  entry: Pick<SlowTrace, 'traceId' | 'spanId' | 'startTime' | 'durationMicros'>,
): SlowTrace {
  const sums = new Map<number, SlowCallSum>();
  for (let call = 0; call < calls.count; call++) {
    const packed = calls.packed[call] as number;
    if (connectionOf(packed) === CONNECTION.messaging) continue;
    const clientRow = calls.clientRow[call] as number;
    const serverRow = calls.serverRow[call] as number;
    const client = names.serviceOf(calls.clientOperation[call] as number);
    const serverOperation = calls.serverOperation[call] as number;
    const server = names.serviceOf(serverOperation);
    const key = client * SERVICES_MAX + server;
    let sum = sums.get(key);
    if (sum === undefined) {
      if (sums.size >= PAIRS_MAX) continue;
      sum = { client, server, packed, calls: 0, clientMicros: 0, serverMicros: 0, longest: -1, operation: 0 };
      sums.set(key, sum);
    }
    const serverMicros = serverRow < 0 ? 0 : Math.max(0, spans.durationMicros(serverRow));
    const waited = clientRow < 0 ? serverMicros : Math.max(0, spans.durationMicros(clientRow));
    sum.calls++;
    sum.clientMicros += waited;
    sum.serverMicros += serverMicros;
    if (waited <= sum.longest) continue;
    sum.longest = waited;
    sum.operation = serverOperation;
  }
  return { ...entry, calls: [...sums.values()].map((sum) => slowCall(sum, names)) };
}

interface SlowCallSum {
  readonly client: number;
  readonly server: number;
  readonly packed: number;
  calls: number;
  clientMicros: number;
  serverMicros: number;
  longest: number;
  operation: number;
}

/** More pairs of services in one trace are left out. */
const PAIRS_MAX = 64;

function slowCall(sum: SlowCallSum, names: NameTable): SlowCall {
  return {
    client: names.serviceName(sum.client),
    server: names.serviceName(sum.server),
    operation: names.operationName(sum.operation),
    peerKind: peerKindOf(sum.packed),
    calls: sum.calls,
    clientMicros: Math.round(Math.min(sum.clientMicros, Number.MAX_SAFE_INTEGER)),
    serverMicros: Math.round(Math.min(sum.serverMicros, Number.MAX_SAFE_INTEGER)),
  };
}
