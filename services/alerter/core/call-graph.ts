/** Who calls whom, by the edges that are watched. Neighbours are sorted, so that answers do not depend on arrival order. */
export class CallGraph {
  private readonly rowsByServer = new Map<string, Map<string, number>>();
  private readonly rowsByClient = new Map<string, Map<string, number>>();

  add(client: string, server: string, row: number): void {
    insertSorted(this.rowsByServer, server, client, row);
    insertSorted(this.rowsByClient, client, server, row);
  }

  remove(client: string, server: string): void {
    removeFrom(this.rowsByServer, server, client);
    removeFrom(this.rowsByClient, client, server);
  }

  /** Detector row of each edge into a service, by client. */
  edgesInto(server: string): ReadonlyMap<string, number> {
    return this.rowsByServer.get(server) ?? NO_EDGES;
  }

  edgesFrom(client: string): ReadonlyMap<string, number> {
    return this.rowsByClient.get(client) ?? NO_EDGES;
  }

  /** True when `from` calls `to`, directly or through others; looks at no more than REACH_MAX services. */
  reaches(from: string, to: string): boolean {
    const seen = new Set([from]);
    for (const service of seen) {
      for (const callee of this.edgesFrom(service).keys()) {
        if (callee === to) return true;
        seen.add(callee);
      }
      if (seen.size > REACH_MAX) return false;
    }
    return false;
  }

  /** All services that can reach `service` along edges, without itself; nearest first, at most `max`. */
  upstreamOf(service: string, max: number): string[] {
    const seen = new Set([service]);
    const queue = [service];
    for (let next = 0; next < queue.length && queue.length <= max; next++) {
      for (const client of this.edgesInto(queue[next] as string).keys()) {
        if (seen.has(client)) continue;
        seen.add(client);
        queue.push(client);
      }
    }
    return queue.slice(1, max + 1);
  }
}

const REACH_MAX = 10_000;
const NO_EDGES: ReadonlyMap<string, number> = new Map();

function insertSorted(index: Map<string, Map<string, number>>, from: string, to: string, row: number): void {
  const present = index.get(from);
  if (present === undefined) {
    index.set(from, new Map([[to, row]]));
    return;
  }
  const last = [...present.keys()].at(-1) as string;
  present.set(to, row);
  if (last > to) index.set(from, new Map([...present].sort(([a], [b]) => (a < b ? -1 : 1))));
}

function removeFrom(index: Map<string, Map<string, number>>, from: string, to: string): void {
  const present = index.get(from);
  present?.delete(to);
  if (present?.size === 0) index.delete(from);
}
