import { anyText, millis, refuse } from '../../core/http/params.ts';
import { type ConsoleParts, NAME, RANGE, readRange } from './console-shared.ts';
import { type Route, route } from './router.ts';

/** The service graph and what it is made of. */
export function graphRoutes({ graph, clock }: ConsoleParts): Route[] {
  return [
    route('GET', '/api/console/services', { params: RANGE }, ({ params }) => {
      const read = readRange(params, clock.wallMs());
      if (!read.ok) return read;
      const { range, nodes, notices } = graph.graph(read.range, undefined);
      return {
        json: { range, services: nodes.filter(({ stats }) => stats.calls > 0).slice(0, SERVICES_MAX), notices },
      };
    }),

    route('GET', '/api/console/graph', { params: GRAPH }, ({ params }) => {
      const read = readRange(params, clock.wallMs());
      if (!read.ok) return read;
      const { baselineFrom, baselineTo } = params;
      if (baselineFrom === undefined && baselineTo === undefined) return { json: graph.graph(read.range, undefined) };
      if (baselineFrom === undefined) return refuse('baselineFrom', 'baselineTo is given without baselineFrom.');
      if (baselineTo === undefined) return refuse('baselineTo', 'baselineFrom is given without baselineTo.');
      const names = { from: 'baselineFrom', to: 'baselineTo' };
      const baseline = readRange({ from: baselineFrom, to: baselineTo }, clock.wallMs(), names);
      return baseline.ok ? { json: graph.graph(read.range, baseline.range) } : baseline;
    }),

    route('GET', '/api/console/graph/series', { params: SERIES }, ({ params }) => {
      const read = readRange(params, clock.wallMs());
      if (!read.ok) return read;
      const { service, client, server } = params;
      if (service === undefined && client === undefined && server === undefined) {
        return refuse('service', 'service is needed, or client and server.');
      }
      if (service !== undefined && (client !== undefined || server !== undefined)) {
        return refuse('service', 'service cannot be asked for together with client and server.');
      }
      return { json: graph.series(read.range, params) };
    }),
  ];
}

const GRAPH = { ...RANGE, baselineFrom: millis(), baselineTo: millis() } as const;
const SERIES = { ...RANGE, service: NAME, client: NAME, server: NAME, connectionType: anyText(64) } as const;
const SERVICES_MAX = 5_000;
