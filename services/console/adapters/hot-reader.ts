import { searchStore } from '../core/hot/search-store.ts';
import type { TraceReader } from '../ports.ts';
import type { HotStore } from './hot-store.ts';

/** The hot store as a source of traces. */
export function hotReader(store: HotStore): TraceReader {
  return {
    source: 'hot',
    async read(traceId) {
      return store.find(traceId).map(({ record, otlp }) => ({
        source: 'hot',
        revision: record.revision,
        contextLost: record.contextLost,
        otlp: otlp(),
      }));
    },
    search: async (query) => searchStore(store, query),
  };
}
