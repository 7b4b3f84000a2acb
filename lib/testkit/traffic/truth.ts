/** What the generated system really did, counted call by call: the yardstick for what the pipeline says of it. */
export class TrafficTruth {
  private readonly edgeCounts = new Map<string, EdgeTruth>();
  private readonly entryCounts = new Map<string, EntryTruth>();
  /** Spans exported so far. */
  spanCount = 0;
  /** Requests that arrived so far. */
  requestCount = 0;

  call(client: string, server: string, connectionType: string, failed: boolean): void {
    const key = `${client}|${server}|${connectionType}`;
    const edge = this.edgeCounts.get(key) ?? { client, server, connectionType, calls: 0, errors: 0 };
    edge.calls++;
    if (failed) edge.errors++;
    this.edgeCounts.set(key, edge);
  }

  entry(service: string, operation: string, failed: boolean, timedOut: boolean): void {
    this.requestCount++;
    const key = `${service}|${operation}`;
    const entry = this.entryCounts.get(key) ?? { service, operation, requests: 0, failed: 0, timedOut: 0 };
    entry.requests++;
    if (failed) entry.failed++;
    if (timedOut) entry.timedOut++;
    this.entryCounts.set(key, entry);
  }

  /** Sorted by client, then server. */
  edges(): EdgeTruth[] {
    return sorted(this.edgeCounts);
  }

  /** Sorted by service, then operation. */
  entries(): EntryTruth[] {
    return sorted(this.entryCounts);
  }
}

export interface EdgeTruth {
  readonly client: string;
  readonly server: string;
  /** As in ServiceEdgeDelta: empty for RPC, else `database`. */
  readonly connectionType: string;
  calls: number;
  /** Calls that failed, each once; an HTTP 4xx is no failure. */
  errors: number;
}

export interface EntryTruth {
  readonly service: string;
  readonly operation: string;
  requests: number;
  /** Answered with a 5xx. */
  failed: number;
  /** Of those: the gateway gave up waiting (504). */
  timedOut: number;
}

function sorted<T>(counts: ReadonlyMap<string, T>): T[] {
  return [...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => ({ ...value }));
}
