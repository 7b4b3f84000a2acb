import type { Answers } from './page-server.ts';
import {
  NOW_MS,
  shopGraph,
  shopIncident,
  shopIncidents,
  shopSeries,
  shopTrace,
  shopTraces,
  traceIdOf,
} from './shop-world.ts';

/** Answers of a console that watches a shop whose database has just failed over. */
export function shopAnswers(): Answers {
  let whole = shopIncident();
  return ({ method, path, query, body }) => {
    const number = (name: string, fallback: number) => Number(query.get(name) ?? fallback);
    const to = number('to', NOW_MS);
    const from = number('from', to - 3_600_000);
    const [kind = '', id = '', part = ''] = path.split('/');
    if (kind === 'health') return health();
    if (path === 'graph') return shopGraph(from, to);
    if (path === 'graph/series') return shopSeries(from, to, query.get('service') ?? query.get('server') ?? '');
    if (kind === 'services')
      return { range: { fromMs: from, toMs: to }, services: shopGraph(from, to).nodes, notices: [] };
    if (kind === 'operations')
      return { operations: [{ service: 'api-gateway', operation: 'POST /orders', kind: 'server' }], notices: [] };
    if (kind === 'traces' && id === '')
      return { range: { fromMs: from, toMs: to }, traces: shopTraces(number('limit', 50)), more: true, notices: [] };
    if (kind === 'traces' && part === 'typical') return { trace: shopTraces(6)[5], of: 200 };
    if (kind === 'traces')
      return shopTrace(
        id,
        [0, 3, 6, 12].some((at) => traceIdOf(at) === id),
      );
    if (kind === 'incidents' && id === '') {
      const wanted = query.get('state');
      const all = [whole.incident, ...shopIncidents().slice(1)];
      return {
        incidents: all
          .filter(({ active }) => wanted !== 'active' || active)
          .filter(({ active }) => wanted !== 'closed' || !active),
        more: false,
        notices: [],
      };
    }
    if (kind === 'incidents' && method !== 'GET') {
      const said = JSON.parse(body) as { acknowledged?: boolean; by?: string; text?: string };
      const by = said.by ?? 'somebody';
      if (part === 'notes') whole = { ...whole, notes: [...whole.notes, { by, atMs: NOW_MS, text: said.text ?? '' }] };
      else
        whole = {
          ...whole,
          incident: { ...whole.incident, acknowledgement: said.acknowledged ? { by, atMs: NOW_MS } : null },
        };
      return whole;
    }
    if (kind === 'incidents' && id === whole.incident.incidentId) return whole;
    return undefined;
  };
}

export function health() {
  return {
    status: 'ok',
    nowMs: NOW_MS,
    version: '0.1.0',
    sources: ['hot', 'live', 'archive', 'graph', 'incidents'].map((name) => ({ name, state: 'up', message: '' })),
    hot: {
      traces: 182_441,
      spans: 2_400_118,
      bytes: 301_000_000,
      oldestMs: NOW_MS - 21_600_000,
      newestMs: NOW_MS - 11_000,
      lagRecords: 0,
      retentionMs: 21_600_000,
      bytesMax: 2_000_000_000,
    },
    graph: { oldestMs: NOW_MS - 86_400_000, newestMs: NOW_MS, edges: 18, windowMs: 10_000 },
    incidents: { active: 1, total: 2 },
  };
}
