import { describeError } from '../../../lib/errors/spanloom-error.ts';
import type { Notice, SourceName, TraceSummary } from '../core/api-types.ts';
import type { FoundRecords, TraceQuery } from '../core/hot/search-store.ts';
import { mergeSummaries, summariesOf } from '../core/trace/summaries.ts';
import type { TracePart, TraceReader } from '../ports.ts';

export interface TraceSourcesOptions {
  /** What is asked first, and what is asked only when the first cannot have it all. */
  readonly near: readonly TraceReader[];
  readonly far: readonly TraceReader[];
  /** A source that has not answered by then counts as down. */
  readonly timeoutMs: number;
  /** Start of the oldest trace that is hot, epoch milliseconds; null: none is. */
  readonly oldestHotMs: () => number | null;
  /** Called when a source does not answer, and when it does. */
  readonly onState: (source: SourceName, down: string | undefined) => void;
}

/** All sources of traces as one. A source that fails costs its part of the answer, never the answer. */
export class TraceSources {
  private readonly options: TraceSourcesOptions;

  constructor(options: TraceSourcesOptions) {
    this.options = options;
  }

  async read(traceId: string): Promise<{ parts: TracePart[]; notices: Notice[] }> {
    const near = await this.askAll(this.options.near, (reader) => reader.read(traceId));
    const parts = near.answers.flat();
    if (isWhole(parts)) return { parts, notices: near.notices };
    const far = await this.askAll(this.options.far, (reader) => reader.read(traceId));
    return { parts: [...parts, ...far.answers.flat()], notices: [...near.notices, ...far.notices] };
  }

  async search(query: TraceQuery & { fromMs: number; toMs: number }): Promise<{
    traces: TraceSummary[];
    more: boolean;
    notices: Notice[];
  }> {
    const oldest = this.options.oldestHotMs();
    const reachesBack = oldest !== null && oldest <= query.fromMs;
    const readers = reachesBack ? this.options.near : [...this.options.near, ...this.options.far];
    const searching = readers.filter(({ search }) => search !== undefined);
    const notices: Notice[] = [];
    const { answers, notices: down } = await this.askAll(searching, async (reader) => {
      const found = await (reader.search as NonNullable<TraceReader['search']>)(query);
      notices.push(...noticesOf(found, reader.source));
      return { ...found, traces: summariesOf(found.records, reader.source) };
    });
    const all = answers.map(({ traces }) => traces);
    const traces = mergeSummaries(all, query.limit);
    const count = new Set(all.flat().map(({ traceId }) => traceId)).size;
    return { traces, more: count > query.limit || answers.some(({ more }) => more), notices: [...notices, ...down] };
  }

  private async askAll<T>(
    readers: readonly TraceReader[],
    ask: (reader: TraceReader) => Promise<T>,
  ): Promise<{ answers: T[]; notices: Notice[] }> {
    const outcomes = await Promise.all(readers.map((reader) => this.askOne(reader, ask)));
    return {
      answers: outcomes.flatMap((outcome) => ('answer' in outcome ? [outcome.answer] : [])),
      notices: outcomes.flatMap((outcome) => ('notice' in outcome ? [outcome.notice] : [])),
    };
  }

  private async askOne<T>(
    reader: TraceReader,
    ask: (reader: TraceReader) => Promise<T>,
  ): Promise<{ answer: T } | { notice: Notice }> {
    const { timeoutMs, onState } = this.options;
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      });
      const answer = await Promise.race([ask(reader), late]);
      onState(reader.source, undefined);
      return { answer };
    } catch (error) {
      const why = describeError(error);
      onState(reader.source, why);
      return { notice: { code: 'source_down', source: reader.source, message: `${DOWN[reader.source]}: ${why}` } };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Every revision from the first on is there. */
function isWhole(parts: readonly TracePart[]): boolean {
  const revisions = new Set(parts.map(({ revision }) => revision).filter((revision) => revision > 0));
  if (parts.some(({ contextLost }) => contextLost)) return false;
  const isOnlyOpen = revisions.size === 0 && parts.length > 0;
  return isOnlyOpen || (revisions.size > 0 && Math.max(...revisions) === revisions.size);
}

function noticesOf({ gaveUp, unanswered, boundedToMs }: FoundRecords, source: SourceName): Notice[] {
  const notices: Notice[] = [];
  const add = (code: Notice['code'], message: string): void => void notices.push({ code, source, message });
  if (gaveUp) add('cut_off', 'Too many traces have each of what was asked but not in one span; narrow the range.');
  if (unanswered !== undefined)
    add('cut_off', `The archive cannot be searched by ${unanswered}; \`spanloom sql\` can.`);
  if (boundedToMs !== undefined) {
    add('range_bounded', `The archive was searched from ${new Date(boundedToMs).toISOString()} on.`);
  }
  return notices;
}

const DOWN: Readonly<Record<SourceName, string>> = {
  hot: 'The hot store does not answer, so recent traces may be missing',
  live: 'Redis does not answer, so spans of traces that are still open may be missing',
  archive: 'The archive does not answer, so older traces may be missing',
};
