import type { Notice, Trace } from '../../core/api-types.ts';
import type { TraceQuery } from '../../core/hot/search-store.ts';
import { traceView } from '../../core/trace/trace-view.ts';
import type { TracePart } from '../../ports.ts';
import type { TraceSources } from '../trace-sources.ts';

export interface WholeTrace {
  readonly view: Omit<Trace, 'notices'>;
  readonly parts: readonly TracePart[];
}

export interface WholeTraces {
  readonly traces: readonly WholeTrace[];
  readonly notices: readonly Notice[];
}

/** @returns with a notice for each source that did not answer; without a trace when there is none. */
export async function wholeTrace(
  sources: TraceSources,
  traceId: string,
): Promise<{ trace: WholeTrace | undefined; notices: readonly Notice[] }> {
  const { parts, notices } = await sources.read(traceId);
  const view = traceView(traceId, parts, Number.POSITIVE_INFINITY);
  return { trace: view === undefined ? undefined : { view, parts }, notices };
}

/**
 * Searches as the other APIs do, which answer with all spans of all traces.
 *
 * @param keeps what the index of traces cannot tell; more are looked at then.
 */
export async function searchWholeTraces(
  sources: TraceSources,
  query: TraceQuery & { fromMs: number; toMs: number },
  keeps?: (trace: WholeTrace) => boolean,
): Promise<WholeTraces> {
  const looked = keeps === undefined ? query.limit : Math.max(query.limit, LOOKED_AT_MAX);
  const found = await sources.search({ ...query, limit: looked });
  const notices = [...found.notices];
  const traces: WholeTrace[] = [];
  let spans = 0;
  for (let at = 0; at < found.traces.length && traces.length < query.limit; at += AT_ONCE) {
    const some = found.traces.slice(at, at + AT_ONCE);
    const read = await Promise.all(some.map(({ traceId }) => wholeTrace(sources, traceId)));
    for (const { trace, notices: of } of read) {
      addNew(notices, of);
      if (trace === undefined || traces.length === query.limit || keeps?.(trace) === false) continue;
      spans += trace.view.spanCount;
      if (spans > SPANS_MAX && traces.length > 0) {
        const message = `The answer ends at ${SPANS_MAX} spans; narrow the search or lower its limit.`;
        return { traces, notices: [...notices, { code: 'cut_off', message }] };
      }
      traces.push(trace);
    }
  }
  return { traces, notices };
}

/** As often as a source was asked it may have failed, in the same words. */
function addNew(notices: Notice[], more: readonly Notice[]): void {
  for (const notice of more) if (!notices.some(({ message }) => message === notice.message)) notices.push(notice);
}

const AT_ONCE = 8;
/** Of one answer: about 100 MB of JSON. */
const SPANS_MAX = 100_000;
const LOOKED_AT_MAX = 500;
