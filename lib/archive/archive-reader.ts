import type { Bucket } from '../s3/bucket.ts';
import { ArchiveSql } from './archive-sql.ts';
import { listObjects, type OnProblem } from './list-objects.ts';
import { ObjectCache } from './object-cache.ts';
import type { Dataset, TimeRange } from './object-keys.ts';
import type { PromotedList } from './promoted-setting.ts';
import { searchTraces, type TraceFilter, type TraceSummary } from './search-traces.ts';
import { type ArchivedTrace, openTraceReader } from './trace-reader.ts';

export interface ArchiveReaderOptions {
  readonly bucket: Bucket;
  /** SPANLOOM_PREFIX. */
  readonly prefix: string;
  /** Local folder for copies of objects of this bucket; made when it is not there. */
  readonly cacheFolder: string;
  /** Limit of all copies together. */
  readonly cacheBytesMax: number;
  /** Attributes that have columns in what is archived as OTLP; the default without. */
  readonly promoted?: PromotedList;
  /** Is told of every object that an answer leaves out: damaged, foreign, or gone. */
  readonly onProblem: OnProblem;
  /** Is told when objects had to be copied from the bucket. */
  readonly onFetched?: (bytes: number, objects: number) => void;
}

/** Reads the archive from the bucket alone; the command line and the console are built on it. */
export class ArchiveReader {
  private readonly options: ArchiveReaderOptions;
  private readonly cache: ObjectCache;
  /** Copies that were read through once: they are whole. */
  private readonly checked = new Set<string>();

  constructor(options: ArchiveReaderOptions) {
    this.options = options;
    this.cache = new ObjectCache(options.bucket, options.cacheFolder, options.cacheBytesMax, options.promoted);
  }

  /**
   * One trace, by range requests.
   * @param traceId 32 hex digits, lower case.
   * @returns undefined when no object of these hours has it.
   */
  getTrace(traceId: string, range: TimeRange): Promise<ArchivedTrace | undefined> {
    const { bucket, prefix, onProblem } = this.options;
    return openTraceReader(bucket, prefix, onProblem).get(traceId, range);
  }

  /**
   * The newest traces that match all of the filter, at most `filter.limit`. Objects of the hours are copied once.
   * @throws SpanloomError ARCHIVE_CACHE_TOO_SMALL when the hours do not fit into the cache.
   */
  async searchTraces(filter: TraceFilter): Promise<TraceSummary[]> {
    const needsSpans = filter.operation !== undefined;
    const sql = await this.sql(filter.range, needsSpans ? ['spans', 'traces'] : ['traces']);
    try {
      return await searchTraces(sql, filter);
    } finally {
      sql.close();
    }
  }

  /** The views over objects of the range; those of other datasets than `datasets` are empty. To be closed. */
  async sql(range: TimeRange, datasets: readonly Dataset[] = ['spans', 'traces']): Promise<ArchiveSql> {
    const { bucket, prefix, onProblem, onFetched } = this.options;
    const lists = await Promise.all(datasets.map((dataset) => listObjects(bucket, prefix, dataset, range, onProblem)));
    const objects = lists.flat();
    let fetched = 0;
    const files = await this.cache.files(objects, onProblem, (bytes) => {
      fetched += bytes;
    });
    if (fetched > 0) onFetched?.(fetched, objects.length);
    const keys = new Map<string, string>();
    const byDataset: Record<Dataset, string[]> = { spans: [], traces: [] };
    for (const [i, object] of objects.entries()) {
      const file = files[i];
      if (file === undefined) continue;
      keys.set(file, object.key);
      byDataset[object.dataset].push(file);
    }
    return ArchiveSql.open(byDataset, this.cache.folder, this.checked, (file, why) =>
      onProblem({ key: keys.get(file) ?? file, why: `DuckDB cannot read it: ${why.replaceAll(file, 'it')}` }),
    );
  }
}
