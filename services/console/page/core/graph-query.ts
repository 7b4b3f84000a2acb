import type { ViewState } from './routes.ts';

/** The parameters of GET /api/console/graph for what the URL asks for. */
export function graphQuery(state: ViewState<'graph'>, nowMs: number): URLSearchParams {
  const toMs = state.until === 0 ? nowMs : state.until;
  const fromMs = Math.max(0, toMs - state.span * 1_000);
  const query = new URLSearchParams({ from: String(fromMs), to: String(toMs) });
  const baselineFrom = state.since > 0 ? state.since : state.base === 'same' ? fromMs - state.span * 1_000 : undefined;
  if (baselineFrom !== undefined && baselineFrom < fromMs) {
    query.set('baselineFrom', String(Math.max(0, baselineFrom)));
    query.set('baselineTo', String(fromMs));
  }
  return query;
}
